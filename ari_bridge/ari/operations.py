"""One operation of ARI, as ARI describes it itself: what is sent where."""

from typing import Any
from urllib.parse import quote

import msgspec

from ari_bridge.ari.http import path_below_root


class Operation:
    def __init__(self, described: Any) -> None:
        """`described`: an operation of asyncari's swagger layer."""
        self.method: str = described.json["httpMethod"]
        self._path = path_below_root(described.uri)
        places = {parameter["name"]: parameter["paramType"] for parameter in described.json.get("parameters", ())}
        self._in_path = [name for name, place in places.items() if place == "path"]
        self._in_body = {name for name, place in places.items() if place == "body"}
        self._known = places.keys()

    def takes(self, parameter: str) -> bool:
        return parameter in self._known

    def fill_in(self, parameters: dict[str, Any]) -> tuple[str, dict[str, str], bytes | None]:
        """Its path, query and JSON body with these parameters.

        Raises TypeError if one is not in the description, KeyError if one of the path is missing.
        """
        if not parameters.keys() <= self._known:
            raise TypeError(f"{self.method} {self._path} has no parameters {parameters.keys() - self._known}")
        path, query, body = self._path, {}, {}
        for name in self._in_path:
            path = path.replace(f"{{{name}}}", quote(parameters.pop(name), safe=""))
        for name, value in parameters.items():
            if name in self._in_body:
                body[name] = value
            else:
                query[name] = str(value)
        return path, query, msgspec.json.encode(body) if body else None
