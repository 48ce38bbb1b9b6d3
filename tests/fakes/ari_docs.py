"""ARI's description of itself (Swagger 1.1), as far as the fake Asterisk goes."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Operation:
    """`parameters`: names of query parameters. Those of the path are in `path`, `body` are in the JSON body."""

    name: str
    method: str
    path: str
    parameters: str = ""
    body: str = ""


_CHANNEL, _BRIDGE = "/channels/{channelId}", "/bridges/{bridgeId}"
_STORED, _TAPE = "/recordings/stored/{recordingName}", "/recordings/live/{recordingName}"
OPERATIONS = (
    Operation("asterisk.getInfo", "GET", "/asterisk/info"),
    Operation("asterisk.getGlobalVar", "GET", "/asterisk/variable", "variable"),
    Operation("asterisk.setGlobalVar", "POST", "/asterisk/variable", "variable value"),
    Operation("events.userEvent", "POST", "/events/user/{eventName}", "application source", "variables"),
    Operation("applications.get", "GET", "/applications/{applicationName}"),
    Operation("applications.filter", "PUT", "/applications/{applicationName}/eventFilter", body="filter"),
    Operation("applications.subscribe", "POST", "/applications/{applicationName}/subscription", "eventSource"),
    Operation("applications.unsubscribe", "DELETE", "/applications/{applicationName}/subscription", "eventSource"),
    Operation("endpoints.list", "GET", "/endpoints"),
    Operation("channels.list", "GET", "/channels"),
    Operation("channels.get", "GET", _CHANNEL),
    Operation("channels.create", "POST", "/channels/create", "endpoint app appArgs channelId formats", "variables"),
    Operation(
        "channels.externalMedia", "POST", "/channels/externalMedia", "channelId app external_host format", "variables"
    ),
    Operation("channels.dial", "POST", f"{_CHANNEL}/dial", "caller timeout"),
    Operation("channels.ring", "POST", f"{_CHANNEL}/ring"),
    Operation("channels.answer", "POST", f"{_CHANNEL}/answer"),
    Operation("channels.hangup", "DELETE", _CHANNEL, "reason reason_code"),
    Operation("channels.mute", "POST", f"{_CHANNEL}/mute", "direction"),
    Operation("channels.unmute", "DELETE", f"{_CHANNEL}/mute", "direction"),
    Operation("channels.sendDTMF", "POST", f"{_CHANNEL}/dtmf", "dtmf before between duration after"),
    Operation("channels.getChannelVar", "GET", f"{_CHANNEL}/variable", "variable"),
    Operation("channels.setChannelVar", "POST", f"{_CHANNEL}/variable", "variable value"),
    Operation("channels.continueInDialplan", "POST", f"{_CHANNEL}/continue", "context extension priority label"),
    Operation("bridges.list", "GET", "/bridges"),
    Operation("bridges.get", "GET", _BRIDGE),
    Operation("bridges.createWithId", "POST", _BRIDGE, "type name"),
    Operation("bridges.addChannel", "POST", f"{_BRIDGE}/addChannel", "channel role"),
    Operation("bridges.removeChannel", "POST", f"{_BRIDGE}/removeChannel", "channel"),
    Operation("bridges.startMoh", "POST", f"{_BRIDGE}/moh", "mohClass"),
    Operation("bridges.stopMoh", "DELETE", f"{_BRIDGE}/moh"),
    Operation("bridges.destroy", "DELETE", _BRIDGE),
    Operation(
        "bridges.record",
        "POST",
        f"{_BRIDGE}/record",
        "name format maxDurationSeconds maxSilenceSeconds ifExists beep terminateOn",
    ),
    Operation("bridges.play", "POST", f"{_BRIDGE}/play", "media lang offsetms skipms playbackId"),
    Operation("recordings.listStored", "GET", "/recordings/stored"),
    Operation("recordings.deleteStored", "DELETE", _STORED),
    Operation("recordings.getStoredFile", "GET", f"{_STORED}/file"),
    Operation("recordings.getLive", "GET", _TAPE),
    Operation("recordings.stop", "POST", f"{_TAPE}/stop"),
    Operation("recordings.pause", "POST", f"{_TAPE}/pause"),
    Operation("recordings.unpause", "DELETE", f"{_TAPE}/pause"),
)
_BASE = "http://localhost:8088/ari"  # Asterisk says so wherever it listens
_HEAD = {"_copyright": "", "_author": "", "apiVersion": "4.1.4", "swaggerVersion": "1.1", "basePath": _BASE}


def api_docs(name: str) -> dict[str, Any]:
    """`name`: resources.json, or a resource with .json."""
    resource = name.removesuffix(".json")
    if resource == "resources":
        names = sorted({operation.name.partition(".")[0] for operation in OPERATIONS})
        apis = [{"path": f"/api-docs/{name}.{{format}}", "description": name} for name in names]
        return {**_HEAD, "apis": apis}
    ours = [operation for operation in OPERATIONS if operation.name.startswith(resource + ".")]
    return {**_HEAD, "resourcePath": f"/api-docs/{name}", "apis": [_api(operation) for operation in ours], "models": {}}


def _api(operation: Operation) -> dict[str, Any]:
    in_path = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    places = [(in_path, "path"), (operation.parameters.split(), "query"), (operation.body.split(), "body")]
    parameters = [
        {"name": name, "description": "", "paramType": place, "dataType": "string", "required": place == "path"}
        for names, place in places
        for name in names
    ]
    described = {
        "httpMethod": operation.method,
        "summary": "",
        "nickname": operation.name.partition(".")[2],
        "responseClass": "void",
        "parameters": parameters,
    }
    return {"path": operation.path, "description": "", "operations": [described]}
