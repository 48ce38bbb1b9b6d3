"""Why a request is refused for who sends it."""

from enum import StrEnum

from frontend.auth.grants import Grant


class FactorMethod(StrEnum):
    """What proves, besides the password, that it is the user."""

    TOTP = "totp"
    SECURITY_KEY = "security_key"
    RECOVERY_CODE = "recovery_code"


class Unauthorized(Exception):
    """The request has no valid token or API key, or the password is wrong; the text says which."""


class WrongCode(Unauthorized):
    """The code of a second factor is wrong, or was used before: another one may be tried."""

    field = "code"


class WrongKey(WrongCode):
    """A security key has answered something else than it was asked: it may be tried again."""

    field = "credential"


class ChallengeEnded(Unauthorized):
    """It was used, is too old, or was never issued: sign in again."""

    def __init__(self) -> None:
        super().__init__("This took too long, or was done before: sign in again.")


class Forbidden(Exception):
    """The principal is known, but has not the grant."""

    def __init__(self, grant: Grant, *, of: str = "none of your roles") -> None:
        super().__init__(grant)
        self.grant = grant
        self._of = of

    def __str__(self) -> str:
        return f"This needs the right `{self.grant}`, which {self._of} has."


class SignInIncomplete(Exception):
    """The password is right, but there is no session yet: something else is required of the user.

    Args:
        code: Of the problem, which says what.
        detail: What to do, for developers.
        challenge: Proves for that one step, and for some minutes, that the password was given.
        methods: With which second factors it can be completed; none where it is not about them.
    """

    def __init__(self, code: str, detail: str, challenge: str, methods: tuple[FactorMethod, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.challenge = challenge
        self.methods = methods

    def __str__(self) -> str:
        return self.detail
