"""Structured logs to stderr: for people (console) or machines (JSON). Secrets and SDP never get there above debug."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(r"password|token|secret|authorization", re.IGNORECASE)
_BEARER = re.compile(r"(Bearer |token=|password=)[^\s&\"']+", re.IGNORECASE)
_SDP = re.compile(r"v=0\r?\no=.*", re.DOTALL)

EventDict = MutableMapping[str, Any]


def configure(level: str, form: str) -> None:
    """`level`: debug to error; `form`: console or json. Also the standard library's loggers go this way."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    if form == "json":
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_strip_meta, *last]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.INFO))
    logging.getLogger("aiohttp.access").setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _strip_meta(logger: Any, name: str, event: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)


def redact(logger: Any, level: str, event: EventDict) -> EventDict:
    """Passwords and tokens never; SDP only at debug."""
    for key, value in event.items():
        if _SECRET.search(key) and not isinstance(value, bool):
            event[key] = "(hidden)"
        elif isinstance(value, str):
            value = _BEARER.sub(r"\1(hidden)", value)
            event[key] = value if level == "debug" else _SDP.sub("(SDP)", value)
    return event
