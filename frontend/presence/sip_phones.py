"""Phones at the SIP edge: whose they are, and that the edge forgets users whose credentials have changed."""

from collections.abc import Callable

from ari_bridge.accounts import Accounts, User
from ari_bridge.sip_edge import EdgeRegistrar, EdgeRpc, Registration

OFF = "there is no SIP edge: SIP_EDGE_RPC_URL is not set"


class SipPhones:
    """Registered SIP phones.

    Args:
        accounts: The users. Changes are followed.
        url: Where the edge's Kamailio takes JSON-RPC; "": there is no edge, and nobody has a phone.
        token: What it takes as bearer token.
        realm: For which SIP passwords are made.
    """

    def __init__(self, accounts: Accounts, url: str, token: str, realm: str) -> None:
        self._accounts = accounts
        self._realm = realm
        self.registrar = EdgeRegistrar(EdgeRpc(url, token), self._may_register) if url else None
        self._seen: dict[str, tuple[str, str]] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` when other users than before are registered."""
        if self.registrar:
            self.registrar.on_change(listener)

    async def start(self) -> None:
        if self.registrar is None:
            return
        self._seen = {user.id: self._credential(user) for user in self._accounts.all()}
        self._accounts.on_change(self._on_user)
        await self.registrar.start()

    async def close(self) -> None:
        if self.registrar:
            await self.registrar.close()

    @property
    def reason(self) -> str:
        """Why it is not known who is registered; "" if it is."""
        return self.registrar.reason if self.registrar else OFF

    @property
    def read_at(self) -> float:
        """When it was known last, Unix seconds; 0: never."""
        return self.registrar.read_at if self.registrar else 0.0

    def registrations(self) -> list[Registration]:
        return self.registrar.registrations() if self.registrar else []

    def users(self) -> frozenset[str]:
        return self.registrar.users() if self.registrar else frozenset()

    def _may_register(self, name: str) -> bool:
        """Also while the users cannot be read: nobody's phone is thrown out by that.

        A SIP password that was taken away while this server was down is told by no change of the accounts.
        """
        if not self._accounts.all():
            return True
        user = self._accounts.find(name)
        return user is not None and user.may_use_sip(self._realm)

    def _on_user(self, user: User) -> None:
        assert self.registrar
        before, now = self._seen.get(user.id, ("", "")), self._credential(user)
        self._seen[user.id] = now
        if before == now:
            return
        if before[0]:
            self.registrar.drop(before[0], contacts=bool(before[1]))
        if now[0] != before[0]:
            self.registrar.drop(now[0], contacts=False)

    def _credential(self, user: User) -> tuple[str, str]:
        """What the edge knows of the user: the name, and the digest of a password that is taken."""
        return user.name, user.sip_ha1 if user.may_use_sip(self._realm) else ""
