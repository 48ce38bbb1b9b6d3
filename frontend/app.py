"""The composition root: everything made, put together, started, drained (SIGTERM) and closed in one place."""

from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version

import structlog
from aiohttp import web

from ari_bridge.accounts import Accounts, UserAdministration
from ari_bridge.accounts.totp import KEY_FILE, SecretKey
from ari_bridge.ari.readiness import Readiness
from ari_bridge.audit import AuditLog
from ari_bridge.call_store import SqliteCallStore
from ari_bridge.cdr import CdrService
from ari_bridge.dial_permissions import DialPermissions, OutgoingSwitch, PermissionsFile
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.inbound_policy import InboundCallPolicy
from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import Hooks, load_plugins
from ari_bridge.preferences import PreferenceFile
from ari_bridge.recordings import Collector
from ari_bridge.usage import Calendar, StateTable
from frontend.api.asyncapi import document as asyncapi
from frontend.api.live_rights import follow_accounts
from frontend.api.openapi import document, html
from frontend.api.routes import static
from frontend.api.routes.api_docs import ReferenceApi
from frontend.api.routes.audit import AuditApi
from frontend.api.routes.call_handlers import CallControlApi
from frontend.api.routes.call_queries import CallQueryApi
from frontend.api.routes.cdrs import CdrApi
from frontend.api.routes.dial_permissions import DialPermissionsApi
from frontend.api.routes.event_stream import EventApi, EventStreams
from frontend.api.routes.health import Health
from frontend.api.routes.keys import KeysApi
from frontend.api.routes.me import MeApi
from frontend.api.routes.monitoring import Monitoring
from frontend.api.routes.operator import OperatorApi
from frontend.api.routes.people import PeopleApi
from frontend.api.routes.recordings import RecordingsApi
from frontend.api.routes.second_factor import SecondFactorApi
from frontend.api.routes.security_keys import SecurityKeyApi
from frontend.api.routes.sessions import SessionApi
from frontend.api.routes.sign_in_steps import SignInStepsApi
from frontend.api.routes.single_sign_on import single_sign_on_routes
from frontend.api.routes.sip_edge import SipEdgeApi
from frontend.api.routes.sip_password import SipPasswordApi
from frontend.api.routes.tokens import TokensApi
from frontend.api.routes.user_handlers import UserApi
from frontend.auth.authenticator import Authenticator, token_secret, write_secret
from frontend.auth.client_addresses import ClientAddresses
from frontend.auth.dial_rights import AccountDialRights
from frontend.auth.local_operator import LocalOperator
from frontend.auth.session_tokens import SessionTokens
from frontend.auth.sip_edge_token import SipEdgeToken
from frontend.calls.locked_users import LockedUsers
from frontend.factories import (
    ari_client,
    call_limits,
    dialled_context,
    event_retention,
    media_pool,
    number_routes,
    recording_library,
)
from frontend.http import middleware
from frontend.http.address_filter import AddressFilter
from frontend.http.clear_text import clear_text_refused
from frontend.http.control_socket import control_socket
from frontend.http.cors import Origins
from frontend.http.door import Door, door_of
from frontend.http.hosts import hosts_checked
from frontend.http.idempotency import IdempotencyGuard
from frontend.http.listener import Listener
from frontend.http.long_poll import CallChangeWaiter
from frontend.http.request_body import MAX_BODY_BYTES
from frontend.http.request_gate import RATES, RequestRates, requests_limited
from frontend.http.request_ids import name_requests
from frontend.http.response_headers import add_response_headers
from frontend.presence.past_calls import PastCalls
from frontend.presence.preferences import UserServices
from frontend.presence.registrar import WebSocketRegistrar
from frontend.presence.removed_users import RemovedUsers
from frontend.presence.sip_phones import SipPhones
from frontend.reload import Reloading
from frontend.settings import Settings
from frontend.state_files import OUTGOING_FILE, StateFiles
from frontend.webrtc.ice_servers import IceServers
from frontend.websocket.hub import ConnectionHub
from frontend.websocket.services import ConnectionServices

try:
    VERSION = version("ari-bridge")
except PackageNotFoundError:
    VERSION = "0"

log = structlog.get_logger(__name__)


class App:
    """The whole server in one object.

    `start` raises CannotListen, PluginError, InvalidUser, InvalidPermissions, StoreRefused, ApplicationInUse, OSError,
    ssl.SSLError.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.audit = AuditLog(settings.state_dir, url=settings.audit_database_url, days=settings.audit_days)
        self.reloading = Reloading(settings, self.audit)
        self.reload = self.reloading.reload
        self.url = ""  # http://HOST:PORT, once started
        self.ws_url = ""  # ws://HOST:PORT/ws
        self.legacy_ws_url = ""  # ws://HOST:PORT/ of the second port; "" if there is none
        self.hooks = Hooks()
        self.ari = ari_client(settings)
        self.media = media_pool(settings)
        self.pages = WebSocketRegistrar()
        self.store = SqliteCallStore(
            settings.state_dir, days=settings.call_store_days, retention=event_retention(settings)
        )
        self.store.events.find = self._find_call
        self.hooks.recorder = self.store.events.append
        preference_file = settings.state_dir / "preferences.json"
        preferences = PreferenceFile(preference_file)
        self._routes = number_routes(settings)
        self.accounts = Accounts(
            settings.state_dir,
            settings.users_file,
            url=settings.accounts_database_url,
            min_password=settings.min_password_length,
            token_secret_file=settings.token_secret_file,
            audit=self.audit,
        )
        self._dial_file = PermissionsFile(settings.dial_permissions_file)
        self._permissions = DialPermissions(
            settings.number_plan(),
            self._dial_file,
            source=AccountDialRights(self.accounts, required=settings.enable_authentication),
            is_listed=self._is_listed,
        )
        self.switch = OutgoingSwitch(settings.state_dir / OUTGOING_FILE)
        self.gate = DialGate(
            self._permissions,
            self._routes,
            outside_to_outside=settings.allow_outside_to_outside,
            switch=self.switch,
            audit=self.audit,
        )
        self.usage = StateTable(settings.state_dir / "usage.db")
        self.calls = CallManager(
            self.ari,
            self.media,
            self.pages,
            self.hooks,
            self.gate,
            call_limits(settings),
            self.store,
            InboundCallPolicy(preferences, self.pages, self.gate, self._phone_of),
            self.audit,
            usage=self.usage,
            calendar=Calendar(settings.time_zone),
        )
        self.watchers = CallChangeWaiter(self.calls, self.hooks)
        self.past_calls = PastCalls(self.pages, self.hooks)
        self.idempotency = IdempotencyGuard(self.store.keys)
        self._state_files = StateFiles()
        self._state_files.add(preference_file, preferences.restore)
        self._state_files.add(settings.state_dir / OUTGOING_FILE, self.switch.restore)
        self.sip_phones = SipPhones(
            self.accounts, settings.sip_edge_rpc_url, settings.sip_edge_token, settings.sip_realm
        )
        self.user_services = UserServices(
            self.ari,
            self.calls,
            self.pages,
            self.hooks,
            preferences,
            self.gate,
            mailbox=settings.voicemail_mailbox,
            voicemail_number=settings.voicemail_number,
            names=dict(settings.phone_book),
            display_name=self._display_name,
            known_users=self.accounts.names if settings.enable_authentication else list,
            sip_users=self.sip_phones.users,
            endpoints=settings.people_endpoints,
            audit=self.audit,
        )
        self.recordings = recording_library(settings)
        self.collector = Collector(self.ari.recordings, self.recordings, settings.state_dir, self.store.of_stem)
        self.ari.on_event(self.collector.on_event)
        self.ari.on_connect(self.collector.on_connect)
        self.hooks.tap(self.collector.on_hook)
        self.records: CdrService | None = None
        if settings.enable_cdr_logging:
            self.records = CdrService(
                self.store,
                self.hooks,
                state_dir=settings.state_dir,
                url=settings.cdr_database_url,
                days=settings.cdr_days,
            )
        parts = {
            "recordings": self._recordings_fail,
            "records": self._records_fail,
            "audit": lambda: self.audit.health.reason,
            "outgoing": lambda: str(self.switch.stop or ""),
        }
        self.readiness = Readiness(self.ari, dialled_context(settings), settings.pbx_check_interval)
        self.health = Health(self.ari, self.readiness, self.media, self.store, parts, version=VERSION)
        self.routes: list[web.AbstractRoute] = []  # of the HTTP port, once started
        self.access: Authenticator | None = None  # once started
        self.door: Door | None = None  # once started
        self._connections: ConnectionHub | None = None
        self._opened = AsyncExitStack()

    def _is_listed(self, number: str) -> bool:
        """Whether it is the name or number of a user, of a phone in the directory, or of a service in the settings."""
        settings = self.reloading.settings
        services = {settings.voicemail_number, settings.preflight_number, *(each for each, _ in settings.phone_book)}
        return number in services or any(person.number == number for person in self.user_services.directory.people())

    def _display_name(self, user: str) -> str:
        found = self.accounts.find(user)
        return found.display_name if found else ""

    def _phone_of(self, user: str) -> str:
        """What Asterisk dials so that the user's SIP phones ring; "" if none is registered."""
        return self._settings.sip_edge_ring.replace("{user}", user) if user in self.sip_phones.users() else ""

    async def start(self) -> None:
        """All or nothing: what was opened before a failure is closed again."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Release everything but the calls, which the next process adopts. May be called twice."""
        await self._opened.aclose()

    async def drain(self, seconds: float) -> None:
        """Take no new calls, and send the pages to whoever serves next, spread over `seconds`."""
        self.calls.draining = True
        self.watchers.close()
        self.health.draining = True
        if self._connections:
            await self._connections.drain(seconds)

    def _records_fail(self) -> str:
        return self.records.reason if self.records else ""

    def _recordings_fail(self) -> str:
        return "; ".join([*self.collector.troubles.values(), *filter(None, [self.recordings.health.reason])])

    async def _start(self) -> None:
        settings, opened = self._settings, self._opened
        self._dial_file.check()
        self.switch.load()
        load_plugins(self.hooks, list(settings.plugins))
        opened.callback(self.hooks.close)
        await self.store.start()
        opened.push_async_callback(self.store.close)
        self.audit.start(self.store.instance, settings.changed())
        opened.push_async_callback(self.audit.close)
        await self._state_files.start()
        opened.push_async_callback(self._state_files.close)
        if self.records:
            await self.records.start()
            opened.push_async_callback(self.records.close)
        await self.media.start()
        opened.push_async_callback(self.media.close)
        await self.usage.start()
        opened.push_async_callback(self.usage.close)
        # Closed after the calls: to them a request that breaks off would be a step that failed, and their end.
        opened.push_async_callback(self.ari.close)
        await self.calls.start()
        opened.push_async_callback(self.calls.close)
        opened.push_async_callback(self.accounts.close)  # after those that follow it
        if settings.enable_authentication:
            await self.accounts.start()
            removed = RemovedUsers(self.accounts, self.user_services)
            removed.start()
            opened.push_async_callback(removed.close)
            opened.push_async_callback(LockedUsers(self.accounts, self.calls.bulk, self.hooks).close)
        await self.user_services.start()
        opened.push_async_callback(self.user_services.close)
        self.sip_phones.on_change(self.user_services.directory.changed)
        await self.sip_phones.start()
        opened.push_async_callback(self.sip_phones.close)
        await self.recordings.start()
        opened.push_async_callback(self.recordings.close)
        await self.collector.start()
        opened.push_async_callback(self.collector.close)
        await self.ari.start(self.store.instance)
        await self.readiness.start()
        opened.push_async_callback(self.readiness.close)
        await self._serve()
        log.info("serving", page=f"{self.url}/", websocket=self.ws_url, second=self.legacy_ws_url, version=VERSION)

    async def _serve(self) -> None:
        settings = self._settings
        addresses = ClientAddresses(settings.trusted_proxies)
        factor_key = SecretKey(settings.state_dir / KEY_FILE)
        self._state_files.add(factor_key.path, factor_key.restore)
        access = self.access = Authenticator(
            required=settings.enable_authentication,
            accounts=self.accounts,
            lifetimes=settings.token_lifetimes(),
            addresses=addresses,
            second_factor_key=factor_key,
            require_second_factor=settings.require_second_factor,
            webauthn_origins=settings.webauthn_origins,
            audit=self.audit,
        )
        self._opened.push_async_callback(access.close)
        secret_file = settings.state_dir / "session-secret"
        secret = token_secret(secret_file)
        self._state_files.add(secret_file, lambda: write_secret(secret_file, secret))
        sessions = SessionTokens(secret, access.issuer.signer if access.required else None)
        ice = IceServers(settings.ice_servers, settings.turn_secret, settings.turn_lifetime)
        services = ConnectionServices(
            calls=self.calls,
            pages=self.pages,
            user_services=self.user_services,
            access=access,
            sessions=sessions,
            media=self.media,
            ice=ice,
            version=VERSION,
        )
        connections = ConnectionHub(services, self.hooks)
        self._connections = connections
        events = EventStreams(self.store.events)
        origins = Origins(settings.cors_origin, sign_in=settings.enable_authentication)
        checked = middleware.origins_checked(origins, addresses)
        hosts = hosts_checked(sign_in=settings.enable_authentication)
        # The inner one makes the problems that pages of other origins may read, the outer one is for what it lets by.
        problems = middleware.problem_responses
        rates = RequestRates.of(settings.max_requests_per_second)
        edge_token = SipEdgeToken(settings.sip_edge_token)
        limited = requests_limited(access, origins, rates, edge_token)
        listed = AddressFilter(settings, addresses)
        self.reloading.uses(listed.use, "enable_ip_whitelisting", "ip_whitelist")
        common = [
            problems,
            limited,
            listed.middleware(),
            clear_text_refused(addresses),
            hosts,
            checked,
            problems,
            static.assets_kept,
        ]
        door = self.door = door_of(settings, addresses)

        def application() -> web.Application:
            """Of one port."""
            made = web.Application(middlewares=common, client_max_size=MAX_BODY_BYTES)
            made[RATES] = rates
            name_requests(made)
            add_response_headers(made, addresses, settings.embed_origins)
            return made

        main = application()
        main.add_routes([web.get("/ws", connections.handle)])
        api = CallControlApi(
            self.calls,
            access,
            self.idempotency,
            version=VERSION,
            phone_book=settings.phone_book,
            preflight_number=settings.preflight_number,
            feedback=self.records is not None,
            min_password_length=settings.min_password_length,
            single_sign_on=settings.sign_on_name(),
        )
        administration = UserAdministration(
            self.accounts, lambda: self._dial_file.current().classes, settings.sip_realm
        )
        dial_permissions = DialPermissionsApi(self._dial_file, settings.number_plan(), self.gate, self.accounts, access)
        both = [
            *api.routes(),
            *SignInStepsApi(access).routes(),
            *SecondFactorApi(access).routes(),
            *SecurityKeyApi(access).routes(),
            *SessionApi(access).routes(),
            *SipPasswordApi(administration, access).routes(),
            *MeApi(access).routes(),
            *UserApi(administration, access, self._permissions, self.calls, connections, events).routes(),
            *dial_permissions.routes(),
            *CallQueryApi(self.calls, self.store, self.watchers, access).routes(),
            *AuditApi(self.audit, access).routes(),
            *(CdrApi(self.records, access).routes() if self.records else ()),
            *RecordingsApi(self.recordings, access).routes(),
            *EventApi(events, access).routes(),
            *OperatorApi(self.calls, self.switch, self.hooks, access).routes(),
            *PeopleApi(self.user_services, access).routes(),
            *self.health.routes(access),
            *await single_sign_on_routes(settings, self.accounts, access, self._opened),
            *KeysApi(administration, access).routes(),
            *TokensApi(access).routes(),
        ]
        main.add_routes(both)
        main.add_routes(
            Monitoring(
                self.ari, self.calls, self.hooks, events, connections, self.pages, access, settings.metrics_token
            ).routes()
        )
        main.add_routes(SipEdgeApi(self.accounts, self.sip_phones, access, edge_token, settings.sip_realm).routes())
        main.add_routes(ReferenceApi(access, document.encoded, asyncapi.encoded, html.page).routes())
        main.add_routes(static.routes())

        self.routes = list(main.router.routes())
        local = LocalOperator(self.audit)
        by_socket = OperatorApi(self.calls, self.switch, self.hooks, local).routes()
        by_socket += CallQueryApi(self.calls, self.store, self.watchers, local).routes()
        self._opened.push_async_callback((await control_socket(by_socket, settings.state_dir)).aclose)
        listener = Listener(settings, door, self._opened)
        listener.renew(self.reloading)
        self._renew(origins, addresses, api, dial_permissions)
        address = await listener.listen(main, settings.http_port, secure=settings.https)
        self.url = f"{'https' if settings.https else 'http'}://{address}"
        self.ws_url = f"{'wss' if settings.https else 'ws'}://{address}/ws"
        if settings.ws_port or settings.http_port == 0:
            # Programs that know this address alone ask it for all that they need; the WebSocket is at `/`, or `/ws`.
            second = application()
            second.add_routes([*both, web.get("/", connections.handle), web.get("/ws", connections.handle)])
            address = await listener.listen(second, settings.ws_port, secure=settings.wss)
            self.legacy_ws_url = f"{'wss' if settings.wss else 'ws'}://{address}/"
        follow_accounts(self.accounts, access, events, connections, self.calls)
        # Closed first, so that nothing keeps the listening ports open: streams and WebSockets do not end by themselves.
        self._opened.push_async_callback(connections.close)
        self._opened.callback(events.close)
        self._opened.push_async_callback(self.idempotency.close)
        self._opened.callback(self.watchers.close)

    def _find_call(self, call_id: str) -> Call | None:
        try:
            return self.calls.get(call_id)
        except UnknownCall:
            return None

    def _renew(
        self,
        origins: Origins,
        addresses: ClientAddresses,
        api: CallControlApi,
        dial_permissions: DialPermissionsApi,
    ) -> None:
        """What `reload` changes."""
        again = self.reloading
        again.uses(lambda new: origins.use(new.cors_origin), "cors_origin")
        again.uses(lambda new: addresses.use(new.trusted_proxies), "trusted_proxies")
        again.uses(lambda new: api.use(new.phone_book, new.preflight_number), "phone_book", "preflight_number")
        routing = ("dial_context", "dial_routes", "target_sip_server", "target_sip_endpoint")
        again.uses(lambda new: self._routes.use(number_routes(new)), *routing)
        plan = ("country", "outside_line_prefix", "national_prefix", "international_prefix")
        again.uses(lambda new: self._permissions.use(new.number_plan()), *plan)
        again.uses(lambda new: dial_permissions.use(new.number_plan()), *plan)
        again.checks(self._dial_file.check)
        again.uses(lambda new: self.readiness.use(dialled_context(new)), *routing)
