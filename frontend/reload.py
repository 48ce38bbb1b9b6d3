"""SIGHUP: reads the settings again and applies those that can change without a restart."""

from collections.abc import Callable, Iterable

import structlog

from ari_bridge.audit import Action, Audit, NoAudit
from frontend.settings import InvalidSettings, Settings, load

log = structlog.get_logger(__name__)

Use = Callable[[Settings], None]


class Reloading:
    """Applies changed settings.

    Args:
        settings: Those in force.
        audit: Where a reload is recorded.
    """

    def __init__(self, settings: Settings, audit: Audit | None = None) -> None:
        self._audit: Audit = audit or NoAudit()
        self.settings = settings
        self._uses: list[tuple[frozenset[str], Use]] = []
        self._checks: list[Callable[[], None]] = []

    def uses(self, use: Use, *names: str) -> None:
        """Call `use` with the new settings if one of `names` (fields of Settings) has changed."""
        assert set(names) <= set(Settings.model_fields), names
        self._uses.append((frozenset(names), use))

    def checks(self, check: Callable[[], None]) -> None:
        """Call `check` at each reload, for files that may have changed. OSError and ValueError are logged."""
        self._checks.append(check)

    def reload(self, read: Callable[[], Settings] = load) -> None:
        """Never raises: invalid settings are logged, and the previous ones stay in force."""
        try:
            new = read()
        except InvalidSettings as error:
            log.error("the new settings are invalid: the previous ones stay in force", reason=str(error))
            new = self.settings
        changed = {name for name in Settings.model_fields if getattr(new, name) != getattr(self.settings, name)}
        applied: set[str] = set()
        for names, use in self._uses:
            if names & changed:
                use(new)
                applied |= names & changed
        self.settings = self.settings.model_copy(update={name: getattr(new, name) for name in applied})
        for check in self._checks:
            try:
                check()
            except (OSError, ValueError) as error:
                log.error("cannot apply the reloaded settings", reason=str(error))
        log.info("settings reloaded", changed=_env_names(applied))
        self._audit.record(Action.SETTINGS_CHANGE, settings=_env_names(applied))
        if later := changed - applied:
            log.warning(
                "these settings take effect after a restart, which does not affect calls", settings=_env_names(later)
            )


def _env_names(names: Iterable[str]) -> list[str]:
    return sorted(name.upper() for name in names)
