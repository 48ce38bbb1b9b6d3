"""Secrets that are given as files, as container engines and service managers mount them: NAME_FILE for NAME.

A value in the environment can be read by whoever may inspect the container or the process; a file has a mode.
"""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

MAX_BYTES = 64 * 1024


class SecretFiles(PydanticBaseSettingsSource):
    """Reads every setting that is hidden (`repr=False`) from the file that NAME_FILE names.

    It comes before NAME itself, which compose files pass empty. White space around the value does not count.

    Args:
        settings_cls: The settings.
        dotenv: The file `.env`, which may name files as well; the environment comes before it.
    """

    def __init__(self, settings_cls: type[BaseSettings], dotenv: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        given = dotenv.env_vars if isinstance(dotenv, DotEnvSettingsSource) else {}
        self._named = {name.upper(): value for name, value in [*given.items(), *os.environ.items()]}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Raises ValueError if the file cannot be read."""
        name = f"{field_name.upper()}_FILE"
        path = self._named.get(name, "")
        if field.repr or not path or f"{field_name}_file" in self.settings_cls.model_fields:
            return None, field_name, False
        try:
            with Path(path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise ValueError("it is too long for a secret")
            return content.decode().strip(), field_name, False
        except OSError as error:
            raise UnreadableSecret(f"{name}: {path} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise UnreadableSecret(f"{name}: {path} has no secret in it: {error}.") from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class UnreadableSecret(Exception):
    """The text names the setting, the file, and what is wrong."""
