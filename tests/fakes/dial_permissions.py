"""Dial permissions for tests that are about something else."""

from ari_bridge.dial_permissions import DialDecision, DialPermissions, NumberPlan, PermissionsFile


class Unrestricted(DialPermissions):
    """Everybody may dial everything."""

    def __init__(self) -> None:
        super().__init__(NumberPlan(), PermissionsFile(None))

    def decide(self, user: str | None, number: str, *, fixed: bool = False) -> DialDecision:
        return DialDecision(True, "unrestricted", self.read(number, fixed=fixed))
