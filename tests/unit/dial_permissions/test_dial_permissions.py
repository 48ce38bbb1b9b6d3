"""Who has which class, by file and by source, and the file itself."""

import os
from pathlib import Path

import pytest

from ari_bridge.dial_permissions import (
    DialPermissions,
    DialRights,
    InvalidPermissions,
    NumberPlan,
    PermissionsFile,
)

PLAN = NumberPlan(country="DE")
TEXT = """
default = "internal"
internal = ["0800xxx"]

[classes]
sales = ["include national", "allow country:AT"]

[users]
bob = "sales"

[roles]
supervisor = "international"

[tenants]
acme = "national"
"""


class _Source:
    def dial_rights(self, user: str) -> DialRights:
        return {
            "carla": DialRights("unrestricted", ("supervisor",), "acme"),
            "dave": DialRights(roles=("agent", "supervisor"), tenant="acme"),
            "eve": DialRights(tenant="acme"),
            "frank": DialRights("gone"),
        }.get(user, DialRights())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dial-permissions.toml"
    path.write_text(TEXT)
    return path


def test_who_has_which_class(path: Path) -> None:
    permissions = DialPermissions(PLAN, PermissionsFile(path), source=_Source())
    users = ("alice", "bob", "carla", "dave", "eve", None)
    expected = ["internal", "sales", "unrestricted", "international", "national", "internal"]
    assert [permissions.class_of(user) for user in users] == expected


def test_without_a_file_all_may_dial_inside_and_emergency_numbers() -> None:
    permissions = DialPermissions(PLAN, PermissionsFile(None))
    assert [permissions.decide("alice", n).allowed for n in ("1001", "110", "0301234", "h", "*72")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_emergency_numbers_are_allowed_whatever_the_class(path: Path) -> None:
    decision = DialPermissions(PLAN, PermissionsFile(path), source=_Source()).decide("frank", "112")
    assert decision.allowed and decision.rule == "emergency numbers are always allowed"


def test_a_class_that_is_gone_allows_nothing(path: Path) -> None:
    decision = DialPermissions(PLAN, PermissionsFile(path), source=_Source()).decide("frank", "1001")
    assert (decision.allowed, decision.rule) == (False, "there is no class of service gone")


def test_a_pattern_of_the_dialplan_is_never_dialled(path: Path) -> None:
    path.write_text('default = "all"\n[classes]\nall = ["allow special"]')
    permissions = DialPermissions(PLAN, PermissionsFile(path), is_listed=lambda number: True)
    for number in ("_7XXX", "_X.", "_"):
        assert not permissions.decide("alice", number, fixed=True).allowed


def test_names_of_users_and_numbers_of_the_operator_are_internal(path: Path) -> None:
    permissions = DialPermissions(PLAN, PermissionsFile(path), is_listed={"alice", "*97"}.__contains__)
    assert permissions.decide("bob", "alice").allowed and permissions.decide("bob", "*97").allowed
    assert permissions.decide("alice", "0800123").allowed  # `internal` of the file
    assert permissions.decide("alice", "*43", fixed=True).allowed
    assert not permissions.decide("alice", "*43").allowed


def test_a_changed_file_is_read_again_and_a_faulty_one_changes_nothing(path: Path) -> None:
    file = PermissionsFile(path)
    permissions = DialPermissions(PLAN, file)
    assert not permissions.decide("alice", "0301234").allowed
    _write(path, TEXT.replace('default = "internal"', 'default = "national"'))
    assert permissions.decide("alice", "0301234").allowed
    _write(path, 'default = "nowhere"')
    assert permissions.decide("alice", "0301234").allowed
    with pytest.raises(InvalidPermissions, match="dial-permissions.toml: default: there is no class 'nowhere', only"):
        file.check()
    path.unlink()
    assert permissions.decide("alice", "0301234").allowed


@pytest.mark.parametrize(
    "text, says",
    [
        ("default = ", "Invalid value"),
        ("defalt = 'internal'", "unknown field `defalt`"),
        ("[users]\nbob = 'sale'", "users.bob: there is no class 'sale'"),
        ("[classes]\na = ['allow nothing']", "'nothing' is neither"),
        ("internal = ['0800y']", "'0800y' is no pattern"),
    ],
)
def test_a_faulty_file_is_named_with_the_fault(path: Path, text: str, says: str) -> None:
    path.write_text(text)
    with pytest.raises(InvalidPermissions, match=says):
        PermissionsFile(path).check()


def test_the_example_is_a_file_that_can_be_used() -> None:
    PermissionsFile(Path("examples/dial-permissions.toml")).check()


def _write(path: Path, text: str) -> None:
    """With a time of change that differs, however coarse the clock of the file system is."""
    path.write_text(text)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[limits.nobody]\nlegs = 1", "no class 'nobody'"),
        ("[limits.national]\nlegs = -1", "cannot be negative"),
        ("[limits.national]\ncalls = 1", "unknown field"),
        ("[limits.national]\nminutes_per_day = { internal = 1 }", "'internal' is none of"),
        ("[limits.national]\nminutes_per_day = { premium = -1 }", "cannot be negative"),
    ],
)
def test_a_limit_that_cannot_be_used_is_named(path: Path, text: str, fault: str) -> None:
    path.write_text(text)
    with pytest.raises(InvalidPermissions, match=fault):
        PermissionsFile(path).check()


def test_a_class_has_limits_of_its_own(path: Path) -> None:
    path.write_text(f"{TEXT}\n[limits.sales]\nlegs = 20\nminutes_per_day = {{ premium = 0 }}\n")
    permissions = DialPermissions(PLAN, PermissionsFile(path))
    assert permissions.limits_of("bob").legs == 20
    assert permissions.limits_of("bob").minutes_per_day == {"premium": 0}
    assert permissions.limits_of("alice").legs is None


def test_nothing_but_emergency_numbers_is_dialled_for_who_is_locked(path: Path) -> None:
    class Locked(_Source):
        def dial_rights(self, user: str) -> DialRights:
            return DialRights("unrestricted", refusal="the user is locked" if user == "eve" else "")

    permissions = DialPermissions(PLAN, PermissionsFile(path), source=Locked(), is_listed={"alice"}.__contains__)
    for number in ("1001", "alice", "0301234"):
        decision = permissions.decide("eve", number)
        assert (decision.allowed, decision.rule) == (False, "the user is locked")
        assert permissions.decide("bob", number).allowed
    assert permissions.decide("eve", "112").allowed
