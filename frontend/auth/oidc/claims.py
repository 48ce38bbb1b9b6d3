"""What the claims of somebody who signs in mean here: a name, roles, a class of service. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ari_bridge.accounts import ROLES, Entitlement, InvalidUser
from ari_bridge.accounts.names import check_display_name

EVERYBODY = "*"
"""In a map of groups: everybody who signs in, whatever their groups."""
MAX_GROUPS = 1000
"""Groups of one person that are looked at."""

GroupMap = tuple[tuple[str, str], ...]
"""(group, what it gives), in the order of the setting."""


class MissingClaim(Exception):
    """`name`: of a claim that everybody needs, and this person does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class ClaimMapping:
    """How claims are read.

    Args:
        name: The claim with the name of a new user; of an e-mail address the part before the @.
        roles: The claim with the groups; "": roles are given here, not by the provider.
        role_map: Which group gives which role.
        class_map: Which group gives which class of service; the first that fits counts.
        required: Claims that everybody needs, with their values.
        create: Whether users are made for those who have none.
    """

    name: str = "preferred_username"
    roles: str = ""
    role_map: GroupMap = ()
    class_map: GroupMap = ()
    required: GroupMap = ()
    create: bool = False

    def entitlement(self, claims: Mapping[str, Any]) -> Entitlement:
        """Raises MissingClaim."""
        for name, wanted in self.required:
            if wanted not in _texts(claim_at(claims, name)):
                raise MissingClaim(name)
        groups = {EVERYBODY, *_texts(claim_at(claims, self.roles))[:MAX_GROUPS]} if self.roles else {EVERYBODY}
        given = {role for group, role in self.role_map if group in groups}
        classes = [name for group, name in self.class_map if group in groups]
        return Entitlement(
            name=self._user_name(claims),
            display_name=_display_name(claims),
            roles=tuple(role for role in ROLES if role in given) if self.roles else None,
            class_of_service=(classes or [""])[0] if self.class_map else None,
            create=self.create,
        )

    def is_complete(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claims contain all that is read; otherwise the provider may tell more (userinfo)."""
        wanted = [self.name, *filter(None, [self.roles]), *(name for name, _ in self.required)]
        return all(claim_at(claims, name) is not None for name in wanted)

    def _user_name(self, claims: Mapping[str, Any]) -> str:
        """ "" if there is none that can be used."""
        value = claim_at(claims, self.name)
        if not isinstance(value, str):
            return ""
        if self.name == "email" and claims.get("email_verified") is not True:
            return ""
        return value.partition("@")[0].strip()


def _display_name(claims: Mapping[str, Any]) -> str:
    """The claim `name`; "" if there is none that can be used."""
    try:
        return check_display_name(str(claims.get("name") or ""))
    except InvalidUser:
        return ""


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name or, with dots, within others (`realm_access.roles`); None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def parse_map(text: str) -> GroupMap:
    """NAME=VALUE, separated by semicolons; a name may contain `=` and commas (`CN=phone,OU=groups`).

    Raises ValueError.
    """
    found = []
    for entry in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = (part.strip() for part in entry.rpartition("="))
        if not equals or not name or not value:
            raise ValueError(f"{entry!r} is not NAME=VALUE; several are separated by semicolons")
        found.append((name, value))
    return tuple(found)


def parse_role_map(text: str) -> GroupMap:
    """Raises ValueError, also for a role that there is not."""
    found = parse_map(text)
    for _, role in found:
        if role not in ROLES:
            raise ValueError(f"there is no role {role!r}, but {', '.join(ROLES)}")
    return found


def _texts(value: Any) -> list[str]:
    """A claim's value or values, as text; JSON's true and false as `true` and `false`."""
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else one for one in values if isinstance(one, bool | str)]
