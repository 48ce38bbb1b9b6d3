"""What a change of a user is in the audit log. Pure."""

from collections.abc import Iterator

from ari_bridge.accounts.user import User
from ari_bridge.audit import Action, Detail

Changes = Iterator[tuple[Action, dict[str, Detail]]]


def changes_of(before: User | None, after: User) -> Changes:
    """The actions, with their details. `before`: None if the user was made."""
    if before is None:
        yield Action.USER_CREATE, {"roles": after.roles, "classOfService": after.class_of_service}
        return
    if after.removed_at is not None:
        yield Action.USER_REMOVE, {}
        return
    found = [*_changed(before, after)]
    if not found and after.generation != before.generation:
        found = [(Action.SESSION_END_ALL, {})]
    yield from found


def _changed(before: User, after: User) -> Changes:
    if after.name != before.name:
        yield Action.USER_RENAME, {"new": after.name}
    if after.locked != before.locked:
        yield Action.USER_LOCK if after.locked else Action.USER_UNLOCK, {}
    if after.password_hash != before.password_hash and after.generation != before.generation:  # else it is rehashed
        yield Action.USER_PASSWORD, {}
    if after.sip_ha1 != before.sip_ha1:
        yield Action.USER_SIP_PASSWORD, {"change": "made" if after.sip_ha1 else "removed"}
    if after.roles != before.roles:
        yield Action.USER_ROLES, {"old": before.roles, "new": after.roles}
    if after.class_of_service != before.class_of_service:
        yield Action.USER_CLASS, {"old": before.class_of_service, "new": after.class_of_service}
    if after.display_name != before.display_name:
        yield Action.USER_CHANGE, {"field": "displayName", "old": before.display_name, "new": after.display_name}
