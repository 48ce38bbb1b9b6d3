"""`/users`: what those do who manage users. The rules for a change are those of `ari_bridge.accounts`."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

import structlog
from aiohttp import web

from ari_bridge.accounts import ADMIN, Target, UnknownUser, User, UserAdministration, UserQuery
from ari_bridge.cursor import Cursor
from ari_bridge.dial_permissions import DialPermissions, DialRights
from ari_bridge.engine.call_manager import CallManager
from frontend.api.routes import user_endpoints as endpoints
from frontend.api.routes.event_stream import EventStreams
from frontend.api.routes.user_endpoints import (
    LimitUsageData,
    Lock,
    NewName,
    NewPasswordData,
    NewUser,
    SipPasswordData,
    UserChange,
    UserConnection,
    UserConnections,
    UserData,
    UserFilter,
    UserLimits,
    UserList,
    UserPath,
    UserSettings,
    UserWithSipPassword,
)
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import grants_of
from frontend.auth.handing_on import check_class
from frontend.calls.permissions import check_may
from frontend.http.endpoint import Nothing, TypedRequest
from frontend.http.middleware import json_response
from frontend.http.preconditions import etag_of
from frontend.http.problems import ProblemError
from frontend.websocket.hub import ConnectionHub

_OWN = {
    "lock": "You cannot lock yourself: you would be signed out at once, and could not unlock yourself.",
    "remove": "You cannot remove yourself: ask another admin.",
    "demote": "You cannot take the role admin from yourself: ask another admin.",
    "second_factor": (
        "Remove your own second factor with your password and a code or a key: POST /me/second-factor/remove for the "
        "app, POST /me/second-factor/keys/{keyId}/remove for a security key."
    ),
    "sip_password": "Make your own with your password: POST /me/sip-password.",
    "password": "Change your own password with your old one: POST /me/password.",
}

log = structlog.get_logger(__name__)


class UserApi:
    """Users, for those who manage them.

    Args:
        administration: What is done with them.
        access: Whether sign-in is on.
        permissions: Say which class of service counts for a user.
        calls: Tells how many calls a user has.
        connections: Tells what a user has open.
        events: The event streams.
    """

    def __init__(
        self,
        administration: UserAdministration,
        access: Authenticator,
        permissions: DialPermissions,
        calls: CallManager,
        connections: ConnectionHub,
        events: EventStreams,
    ) -> None:
        self._administration = administration
        self._accounts = administration.accounts
        self._access = access
        self._permissions = permissions
        self._calls = calls
        self._connections = connections
        self._events = events

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            endpoints.LIST.route(access, self.list_users),
            endpoints.ADD.route(access, self.add),
            endpoints.SHOW.route(access, self.show),
            endpoints.CHANGE.route(access, self.change),
            endpoints.RENAME.route(access, self.rename),
            endpoints.LOCK.route(access, self.lock),
            endpoints.RESET_PASSWORD.route(access, self.reset_password),
            endpoints.RESET_SECOND_FACTOR.route(access, self.reset_second_factor),
            endpoints.MAKE_SIP_PASSWORD.route(access, self.make_sip_password),
            endpoints.REMOVE_SIP_PASSWORD.route(access, self.remove_sip_password),
            endpoints.CONNECTIONS.route(access, self.connections),
            endpoints.LIMITS.route(access, self.limits),
            endpoints.SIGN_OUT.route(access, self.sign_out),
            endpoints.REMOVE.route(access, self.remove),
        ]

    # --- reading ---------------------------------------------------------------------

    async def list_users(self, request: TypedRequest[UserFilter, Nothing]) -> web.Response:
        self._check_sign_in()
        given = request.parameters
        page = self._administration.page(
            UserQuery(given.search or "", given.role or "", given.locked),
            after=given.cursor.id if given.cursor else "",
            limit=given.limit,
        )
        after = str(Cursor(0.0, page.users[-1].name)) if page.more else None
        return json_response(UserList(self._shown(page.users), page.total, after))

    async def show(self, request: TypedRequest[UserPath, Nothing]) -> web.Response:
        return self._one(self._found(request.parameters.user_id))

    async def connections(self, request: TypedRequest[UserPath, Nothing]) -> web.Response:
        user = self._found(request.parameters.user_id)
        found = [
            UserConnection(
                open_.address,
                open_.connected_at,
                open_.takes_calls,
                [call.id for call in self._calls.live() if call.session == open_.session],
            )
            for open_ in self._connections.open()
            if open_.user_id == user.id
        ]
        found.sort(key=lambda one: -one.connected_at)
        return json_response(UserConnections(found, self._events.count(user.id)))

    async def limits(self, request: TypedRequest[UserPath, Nothing]) -> web.Response:
        found = self._calls.limits_of(self._found(request.parameters.user_id).name)
        shown = [
            LimitUsageData(
                cast(Any, one.what),
                one.number_class.value if one.number_class else None,
                one.used,
                one.bound.value,
                one.bound.rule,
            )
            for one in found
        ]
        return json_response(UserLimits(shown))

    # --- changes ---------------------------------------------------------------------

    async def add(self, request: TypedRequest[Nothing, NewUser]) -> web.Response:
        self._check_sign_in()
        body = request.body
        self._check_hands_on(request, body.name, body.roles, body.class_of_service)
        created = await self._administration.create(
            body.name,
            roles=body.roles,
            class_of_service=body.class_of_service,
            display_name=body.display_name,
        )
        self._log("user added", request, created.user)
        return self._one(created.user, password=created.password, status=201)

    async def change(self, request: TypedRequest[UserChange, UserSettings]) -> web.Response:
        user, target = self._target(request)
        body = request.body
        if ADMIN in user.roles and ADMIN not in body.roles:
            self._check_other(request, user, "demote")
        self._check_hands_on(request, user.name, body.roles, body.class_of_service)
        if body.class_of_service != user.class_of_service:  # one that is gone meanwhile may stay as it is
            self._administration.check_class(body.class_of_service)
        changed = await self._accounts.update(
            user.name,
            roles=body.roles,
            class_of_service=body.class_of_service,
            display_name=body.display_name,
            target=target,
        )
        self._log("user changed", request, changed)
        return self._one(changed)

    async def rename(self, request: TypedRequest[UserChange, NewName]) -> web.Response:
        user, target = self._target(request)
        self._check_hands_on(request, request.body.name, user.roles, user.class_of_service)
        renamed = await self._accounts.rename(user.name, request.body.name, target)
        self._log("user renamed", request, renamed)
        return self._one(renamed)

    async def lock(self, request: TypedRequest[UserChange, Lock]) -> web.Response:
        user, target = self._target(request, ends=request.body.locked)
        if request.body.locked:
            self._check_other(request, user, "lock")
        changed = await self._accounts.set_locked(user.name, request.body.locked, target)
        self._log("user locked" if changed.locked else "user unlocked", request, changed)
        return self._one(changed)

    async def reset_password(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request)
        self._check_other(request, user, "password")
        reset = await self._administration.reset_password(user.name, target=target)
        self._log("password reset", request, reset.user)
        return self._one(reset.user, password=reset.password)

    async def reset_second_factor(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request)
        self._check_other(request, user, "second_factor")
        changed = await self._accounts.second_factors.reset(user, revision=target.revision)
        self._log("second factor reset", request, changed)
        return self._one(changed)

    async def make_sip_password(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request)
        self._check_other(request, user, "sip_password")
        made = await self._administration.new_sip_password(user.name, target)
        self._log("SIP password made", request, made.user)
        [shown] = self._shown([made.user])
        body = UserWithSipPassword(shown, SipPasswordData(user.name, made.user.sip_realm, made.password))
        return json_response(body, headers={"ETag": etag_of(made.user.revision), "Cache-Control": "no-store"})

    async def remove_sip_password(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request, ends=True)
        changed = await self._administration.remove_sip_password(user.name, target)
        self._log("SIP password removed", request, changed)
        return self._one(changed)

    async def sign_out(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request, ends=True)
        changed = await self._accounts.end_sessions(user.name, target)
        self._log("user signed out", request, changed)
        return self._one(changed)

    async def remove(self, request: TypedRequest[UserChange, Nothing]) -> web.Response:
        user, target = self._target(request)
        self._check_other(request, user, "remove")
        self._log("user removed", request, await self._accounts.remove(user.name, target))
        return web.Response(status=204)

    # --- parts -----------------------------------------------------------------------

    def _check_sign_in(self) -> None:
        """Raises ProblemError."""
        if not self._access.required:
            raise ProblemError("sign_in_off", "Sign-in is off (ENABLE_AUTHENTICATION), so there are no users.")

    def _found(self, user_id: str) -> User:
        """Raises ProblemError, UnknownUser."""
        self._check_sign_in()
        user = self._accounts.by_id(user_id)
        if user is None or user.removed_at is not None:
            raise UnknownUser(user_id)
        return user

    def _target(self, request: TypedRequest[UserChange, Any], *, ends: bool = False) -> tuple[User, Target]:
        """The user that is changed, who may do no more than who changes.

        `ends`: only what the user has open, which is allowed for everybody. Raises ProblemError, UnknownUser,
        Forbidden, HandsOnTooMuch.
        """
        user = self._found(request.parameters.user_id)
        if not ends:
            self._check_hands_on(request, user.name, user.roles, user.class_of_service)
        seen = request.parameters.if_match.revision
        if seen is None and not ends:
            seen = user.revision  # else somebody could give the user more meanwhile
        return user, Target(user.id, seen)

    def _check_hands_on(
        self, request: TypedRequest[Any, Any], name: str, roles: Iterable[str], class_of_service: str
    ) -> None:
        """Nobody gives or takes over more than they have. Raises Forbidden, HandsOnTooMuch."""
        maker = request.principal
        for grant in sorted(grants_of(roles)):
            check_may(maker, grant)
        if maker.kind == "key":
            rights = DialRights(class_of_service, tuple(roles), maker.tenant)
            check_class(self._permissions.class_of(maker.name), self._permissions.class_with(name, rights))

    def _check_other(self, request: TypedRequest[Any, Any], user: User, what: str) -> None:
        """Nobody does this to the own account. Raises ProblemError."""
        if request.principal.user_id == user.id:
            raise ProblemError("own_account", _OWN[what])

    def _log(self, what: str, request: TypedRequest[Any, Any], user: User) -> None:
        log.info(what, user=user.name, user_id=user.id, by=request.user, address=request.principal.address)

    def _one(self, user: User, *, password: str | None = None, status: int = 200) -> web.Response:
        [shown] = self._shown([user])
        body = shown if password is None else NewPasswordData(shown, password)
        return json_response(body, status=status, headers={"ETag": etag_of(user.revision), "Cache-Control": "no-store"})

    def _shown(self, users: list[User]) -> list[UserData]:
        calls = Counter(call.user for call in self._calls.live())
        connections = Counter(one.user_id for one in self._connections.open())
        return [
            UserData(
                id=user.id,
                name=user.name,
                display_name=user.display_name,
                roles=cast(Any, [*user.roles]),
                class_of_service=user.class_of_service,
                effective_class=self._permissions.class_of(user.name),
                locked=user.locked,
                must_change_password=user.must_change_password,
                second_factor=user.second_factor,
                sip_password=bool(user.sip_ha1),
                created_at=user.created_at,
                revision=user.revision,
                connections=connections[user.id],
                calls=calls[user.name],
            )
            for user in users
        ]
