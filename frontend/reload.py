"""What SIGHUP does: the settings are read again, and what can change without a new start does."""

from collections.abc import Callable, Iterable

import structlog

from frontend.settings import InvalidSettings, Settings, load

log = structlog.get_logger(__name__)

Use = Callable[[Settings], None]


class Reloading:
    """`settings`: those in force."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._uses: list[tuple[frozenset[str], Use]] = []
        self._checks: list[Callable[[], None]] = []

    def uses(self, use: Use, *names: str) -> None:
        """`use` is called with the new settings where one of `names` (fields of Settings) has changed."""
        assert set(names) <= set(Settings.model_fields), names
        self._uses.append((frozenset(names), use))

    def checks(self, check: Callable[[], None]) -> None:
        """`check` is called each time: files that may have changed. What it raises (OSError, ValueError) is told."""
        self._checks.append(check)

    def reload(self, read: Callable[[], Settings] = load) -> None:
        """Raises nothing: what is wrong is in the log, and what was in force before stays so."""
        try:
            new = read()
        except InvalidSettings as error:
            log.error("the new settings are invalid: the previous ones stay in force", reason=str(error))
            new = self.settings
        changed = {name for name in Settings.model_fields if getattr(new, name) != getattr(self.settings, name)}
        taken: set[str] = set()
        for names, use in self._uses:
            if names & changed:
                use(new)
                taken |= names & changed
        self.settings = self.settings.model_copy(update={name: getattr(new, name) for name in taken})
        for check in self._checks:
            try:
                check()
            except (OSError, ValueError) as error:
                log.error("cannot apply the reloaded settings", reason=str(error))
        log.info("settings reloaded", changed=_told(taken))
        if later := changed - taken:
            log.warning(
                "these settings take effect after a restart, which does not affect calls", settings=_told(later)
            )


def _told(names: Iterable[str]) -> list[str]:
    return sorted(name.upper() for name in names)
