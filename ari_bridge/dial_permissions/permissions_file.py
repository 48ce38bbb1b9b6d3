"""The file of dial permissions: classes of service, and who has which. Read again whenever it has changed.

A TOML file (docs/DIAL_PERMISSIONS.md). One that cannot be used is reported with its line or rule, and the rules that
were in force before stay.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ari_bridge.dial_permissions.class_limits import ClassLimits, check_limits
from ari_bridge.dial_permissions.class_of_service import ClassOfService, InvalidRule, parse_classes
from ari_bridge.number_routing import Rule as Pattern

DEFAULT_CLASS = "internal"

log = structlog.get_logger(__name__)


class InvalidPermissions(ValueError):
    """The file cannot be used; the text names the file and says why."""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """The file as it is written."""

    default: str = DEFAULT_CLASS
    internal: list[str] = []
    classes: dict[str, list[str]] = {}
    limits: dict[str, ClassLimits] = {}
    users: dict[str, str] = {}
    roles: dict[str, str] = {}
    tenants: dict[str, str] = {}


@dataclass(frozen=True)
class Permissions:
    """What the file says.

    Args:
        classes: All classes of service by name.
        default: The class of whoever has no other.
        internal: Further numbers that are internal, as patterns.
        users: User name → class.
        roles: Role → class.
        tenants: Tenant → class.
        limits: Class of service → limits of its own.
    """

    classes: Mapping[str, ClassOfService] = field(default_factory=lambda: parse_classes({}))
    default: str = DEFAULT_CLASS
    internal: tuple[Pattern, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    tenants: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, ClassLimits] = field(default_factory=dict)


def parse_permissions(text: str) -> Permissions:
    """Raises ValueError."""
    written = msgspec.convert(tomllib.loads(text), _Written)
    classes = parse_classes(written.classes)
    tables: dict[str, dict[str, str]] = {"users": written.users, "roles": written.roles, "tenants": written.tenants}
    given: list[tuple[str, str]] = [("default", written.default)]
    given += [(f"{table}.{name}", class_name) for table, named in tables.items() for name, class_name in named.items()]
    given += [(f"limits.{name}", name) for name in written.limits]
    for where, class_name in given:
        if class_name not in classes:
            raise InvalidRule(f"{where}: there is no class {class_name!r}, only {', '.join(sorted(classes))}")
    for pattern in written.internal:
        if not pattern or not set(pattern) <= set("0123456789xX*+#"):
            raise InvalidRule(f"internal: {pattern!r} is no pattern: digits, x for any digit, a last * for any rest")
    for name, limits in written.limits.items():
        check_limits(name, limits)
    internal = tuple(Pattern(pattern, "") for pattern in written.internal)
    return Permissions(
        classes, written.default, internal, written.users, written.roles, written.tenants, written.limits
    )


class PermissionsFile:
    """What the file at `path` says now; without a path, the defaults."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._read_at: tuple[int, int] | None = None
        self._permissions = Permissions()
        self._reported = ""  # what was last found wrong

    def current(self) -> Permissions:
        """Never fails: of a file that has become unusable, what it said before."""
        try:
            self._look()
        except (InvalidPermissions, OSError) as error:
            if str(error) != self._reported:
                self._reported = str(error)
                log.error("dial permissions cannot be read again: those before stay in force", reason=str(error))
        return self._permissions

    def check(self) -> None:
        """Read the file, whether or not it has changed. Raises InvalidPermissions, OSError."""
        self._read_at = None
        self._look()

    def _look(self) -> None:
        if self.path is None:
            return
        status = self.path.stat()
        if self._read_at == (status.st_mtime_ns, status.st_size):
            return
        self._read_at = (status.st_mtime_ns, status.st_size)  # also if it is unusable: that is reported once
        try:
            permissions = parse_permissions(self.path.read_text(encoding="utf-8"))
        except (ValueError, msgspec.ValidationError) as error:
            raise InvalidPermissions(f"{self.path}: {error}") from error
        if permissions != self._permissions:
            log.info("dial permissions were read", file=str(self.path), classes=sorted(permissions.classes))
        self._permissions = permissions
