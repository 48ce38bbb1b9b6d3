"""Why a request is refused for who sends it."""

from frontend.auth.grants import Grant


class Unauthorized(Exception):
    """The request has no valid token or API key, or the password is wrong; the text says which."""


class Forbidden(Exception):
    """The principal is known, but has not the grant."""

    def __init__(self, grant: Grant, *, of: str = "none of your roles") -> None:
        super().__init__(grant)
        self.grant = grant
        self._of = of

    def __str__(self) -> str:
        return f"This needs the right `{self.grant}`, which {self._of} has."
