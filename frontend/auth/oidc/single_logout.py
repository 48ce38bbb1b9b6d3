"""Signing out in both places: here and at the provider (RP-Initiated Logout 1.0), and because of a sign-out there
(Back-Channel Logout 1.0). It ends sign-ins; calls go on as after any sign-out.
"""

from urllib.parse import urlencode

import structlog

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.provider_sessions import LogoutToken, ProviderSessions
from frontend.auth.oidc.provider import Provider, ProviderUnavailable
from frontend.auth.oidc.tokens import CLOCK_LEEWAY_S, MAX_LOGOUT_TOKEN_AGE_S, InvalidToken, TokenVerifier
from frontend.auth.principal import Principal

log = structlog.get_logger(__name__)


class SingleLogout:
    """`accounts`: whose sign-ins end. The others: those of the provider."""

    def __init__(self, provider: Provider, verifier: TokenVerifier, accounts: Accounts) -> None:
        self._provider = provider
        self._verifier = verifier
        self._sessions = ProviderSessions(accounts)

    async def sign_out(self, principal: Principal, return_to: str) -> str | None:
        """End all that somebody has signed in to who has done so at the provider.

        The result: where the browser has to go to sign out there too; None if there is nothing to do there.
        `return_to`: the address to which the provider sends it afterwards. Raises AccountsUnavailable.
        """
        known = await self._sessions.end_of_user(principal.user_id)
        if known is None:
            return None
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
        ended = await self._sessions.end_by_provider(
            LogoutToken(f"{claims['iss']} {claims['jti']}", until),
            self._provider.config.issuer,
            subject=claims.get("sub", ""),
            sid=claims.get("sid", ""),
        )
        if ended is None:
            raise InvalidToken("it was used before")
        log.info("signed out by the provider", subject=claims.get("sub"), sessions=len(ended))
