"""Signing out in both places: here and at the provider (RP-Initiated Logout 1.0), and because of a sign-out there
(Back-Channel Logout 1.0). It ends sign-ins; calls go on as after any sign-out.
"""

from contextlib import suppress
from urllib.parse import urlencode

import structlog

from ari_bridge.accounts import Accounts, InvalidUser
from ari_bridge.accounts.provider_sessions import ProviderSessions
from frontend.auth.oidc.provider import Provider, ProviderUnavailable
from frontend.auth.oidc.tokens import CLOCK_LEEWAY_S, MAX_LOGOUT_TOKEN_AGE_S, InvalidToken, TokenVerifier
from frontend.auth.principal import Principal

log = structlog.get_logger(__name__)


class SingleLogout:
    """`accounts`: whose sign-ins end. The others: those of the provider."""

    def __init__(self, provider: Provider, verifier: TokenVerifier, accounts: Accounts) -> None:
        self._provider = provider
        self._verifier = verifier
        self._accounts = accounts
        self._sessions = ProviderSessions(accounts)

    async def sign_out(self, principal: Principal, return_to: str) -> str | None:
        """End all that somebody has signed in to who has done so at the provider.

        The result: where the browser has to go to sign out there too; None if there is nothing to do there.
        `return_to`: the address to which the provider sends it afterwards. Raises AccountsUnavailable.
        """
        known = await self._sessions.take_last(principal.user_id)
        if known is None:
            return None
        await self._end(principal.user_id)
        try:
            endpoint = (await self._provider.metadata()).end_session_endpoint
        except ProviderUnavailable:
            endpoint = None
        if not endpoint:
            return None
        query = {
            "id_token_hint": known.id_token,
            "post_logout_redirect_uri": return_to,
            "client_id": self._provider.config.client_id,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def by_provider(self, logout_token: str) -> None:
        """End all that those have signed in to whose session the provider has ended.

        Raises InvalidToken, ProviderUnavailable, AccountsUnavailable.
        """
        claims = await self._verifier.logout_token(logout_token)
        # As long as it would be believed.
        until = max(claims["iat"] + MAX_LOGOUT_TOKEN_AGE_S, claims.get("exp") or 0.0) + 2 * CLOCK_LEEWAY_S
        if not await self._sessions.is_new(f"{claims['iss']} {claims['jti']}", until):
            raise InvalidToken("it was used before")
        ended = await self._sessions.take_all(
            self._provider.config.issuer, subject=claims.get("sub", ""), sid=claims.get("sid", "")
        )
        for user_id in {one.user_id for one in ended}:
            await self._end(user_id)
        log.info("signed out by the provider", subject=claims.get("sub"), sessions=len(ended))

    async def _end(self, user_id: str) -> None:
        user = self._accounts.by_id(user_id)
        if user and user.removed_at is None:
            with suppress(InvalidUser):  # removed meanwhile
                await self._accounts.end_sessions(user.name)
