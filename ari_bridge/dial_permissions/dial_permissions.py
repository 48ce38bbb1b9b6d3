"""Who may dial what: the user's class of service, asked about the number as the PBX will dial it.

Knows neither calls nor Asterisk. The engine's gate (`engine.dial_gate`) asks before each leg.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ari_bridge.dial_permissions.class_limits import ClassLimits
from ari_bridge.dial_permissions.class_of_service import DialDecision
from ari_bridge.dial_permissions.number_class import DialledNumber, NumberClass
from ari_bridge.dial_permissions.number_plan import NumberPlan
from ari_bridge.dial_permissions.permissions_file import Permissions, PermissionsFile
from ari_bridge.guest_names import counted_name

_NO_LIMITS = ClassLimits()


@dataclass(frozen=True, slots=True)
class DialRights:
    """What is known of a user elsewhere, e.g. in the accounts' database.

    Args:
        class_of_service: The user's own class, which goes before the file; "" for none.
        roles: The user's roles, of which the first that the file names decides.
        tenant: The user's tenant; "" for none.
        user_id: The user's, which a rename does not change; "" for none.
        refusal: Why nothing is dialled for them, whatever the class: they are locked, say; "" if it is.
        known: Whether there is such a user, or such an API key. Names of client tokens need not be.
    """

    class_of_service: str = ""
    roles: tuple[str, ...] = ()
    tenant: str = ""
    user_id: str = ""
    refusal: str = ""
    known: bool = True


class ClassOfServiceSource(Protocol):
    """Where a user's class of service comes from, besides the file. Quick, never waits."""

    def dial_rights(self, user: str) -> DialRights:
        """Those of nobody (`DialRights(known=False)`) for a user that is not known, where users are known at all."""


class NoSource:
    """Only the file says who has which class."""

    def dial_rights(self, user: str) -> DialRights:
        return DialRights()


class DialPermissions:
    """Decides for a user and a number.

    Args:
        plan: How the PBX reads numbers.
        file: Classes, and who has which.
        source: Goes before the file.
        is_listed: Whether a number or name is that of a user or of a service, as voicemail: a name is internal then.
    """

    def __init__(
        self,
        plan: NumberPlan,
        file: PermissionsFile,
        *,
        source: ClassOfServiceSource | None = None,
        is_listed: Callable[[str], bool] = lambda number: False,
    ) -> None:
        self._plan = plan
        self._file = file
        self._source = source or NoSource()
        self._is_listed = is_listed

    def use(self, plan: NumberPlan) -> None:
        """From now on."""
        self._plan = plan

    def read(self, number: str, *, fixed: bool = False) -> DialledNumber:
        """What the number is. `fixed`: a route sends it to one endpoint that the operator has chosen."""
        internal = fixed or any(pattern.matches(number) for pattern in self._file.current().internal)
        return self._plan.read(number, listed=self._is_listed(number), internal=internal)

    def class_of(self, user: str | None) -> str:
        """The name of the user's class of service; None for somebody who has not signed in."""
        permissions = self._file.current()
        if user is None:
            return permissions.default
        user = counted_name(user)  # a guest has the class of the key, also where the file says it
        return self.class_with(user, self._source.dial_rights(user))

    def class_with(self, user: str, rights: DialRights) -> str:
        """The class of service that a user of this name has with these rights."""
        return rights.class_of_service or _by_file(self._file.current(), user, rights)

    def limits_of(self, user: str) -> ClassLimits:
        """Those of the user's class of service, where it has limits of its own."""
        return self._file.current().limits.get(self.class_of(user), _NO_LIMITS)

    def is_known(self, user: str) -> bool:
        """Whether there is such a user, or such an API key; everybody is known to a server without users."""
        return self._source.dial_rights(user).known

    def tenant_of(self, user: str) -> str:
        """ "" for none."""
        return self._source.dial_rights(user).tenant

    def usage_key(self, user: str) -> str:
        """By the user's id, which no name is like; the name itself of a guest or a key."""
        user_id = self._source.dial_rights(user).user_id if user else ""
        return f"id:{user_id}" if user_id else user

    def decide(self, user: str | None, number: str, *, fixed: bool = False) -> DialDecision:
        """Whether `user` may dial `number`, which is as `number.normalize_number` gives it. `fixed`: see `read`."""
        read = self.read(number, fixed=fixed)
        if number.startswith("_"):
            return DialDecision(False, "no pattern of the dialplan is dialled", read)
        if read.number_class is NumberClass.EMERGENCY:
            return DialDecision(True, "emergency numbers are always allowed", read)
        if user is not None and (refusal := self._source.dial_rights(user).refusal):
            return DialDecision(False, refusal, read)
        name = self.class_of(user)
        found = self._file.current().classes.get(name)
        if found is None:
            return DialDecision(False, f"there is no class of service {name}", read)
        return found.decide(read)


def _by_file(permissions: Permissions, user: str, rights: DialRights) -> str:
    if own := permissions.users.get(user):
        return own
    if by_role := next((permissions.roles[role] for role in rights.roles if role in permissions.roles), None):
        return by_role
    return permissions.tenants.get(rights.tenant, permissions.default)
