"""Loading the plugins that the setting PLUGINS names."""

import importlib

import structlog

from ari_bridge.hooks.emitter import Hooks

log = structlog.get_logger(__name__)


class PluginError(Exception):
    """A plugin cannot be loaded; the text says which and why."""


def load_plugins(hooks: Hooks, names: list[str]) -> None:
    """Import each module and call its `setup(hooks)`. Raises PluginError."""
    for name in names:
        try:
            importlib.import_module(name).setup(hooks)
        except Exception as error:
            raise PluginError(f"the plugin {name!r} cannot be loaded: {error!r}") from error
        log.info("plugin loaded", plugin=name)
