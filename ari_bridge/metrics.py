"""Every Prometheus metric, declared once.

Label values come from closed sets (outcomes, directions, operation names, the settings' nodes), never
from what callers send. Times are seconds.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SET_UP = (0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUEST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

CALLS = Counter("calls", "Calls that ended.", ["direction", "outcome"], registry=REGISTRY)
ACTIVE_CALLS = Gauge("active_calls", "Calls that have not ended.", ["direction"], registry=REGISTRY)
CALL_SECONDS = Histogram(
    "call_duration_seconds",
    "From the answer to the end, of answered calls.",
    ["direction"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200),
    registry=REGISTRY,
)

SETUP_SECONDS = Histogram(
    "call_setup_seconds",
    "Set-up by phase. invite: from the offer to the dial command done. answer: from the offer to the SDP "
    "answer. bridged: from the later of far answer (outbound) or acceptance (inbound) to both legs bridged "
    "and answered; 0 where all stood before.",
    ["phase"],
    buckets=_SET_UP,
    registry=REGISTRY,
)

ARI_SECONDS = Histogram("ari_request_seconds", "ARI requests.", ["op"], buckets=_REQUEST, registry=REGISTRY)
ARI_FAILURES = Counter("ari_request_failures", "ARI requests that failed.", ["op", "result"], registry=REGISTRY)
ARI_TAKEN_OVER = Counter(
    "ari_application_taken_over",
    "Times that another client took our ARI application over; it was taken back each time.",
    registry=REGISTRY,
)
ARI_EVENTS = Counter("ari_events", "ARI events received.", ["type"], registry=REGISTRY)
EVENT_LAG = Histogram(
    "ari_event_lag_seconds",
    "From Asterisk's timestamp on an event to our handling of it (its clock ticks in milliseconds).",
    buckets=_REQUEST,
    registry=REGISTRY,
)
ARI_CONNECTED = Gauge("ari_connected", "1 while the ARI event stream is up.", registry=REGISTRY)

NG_SECONDS = Histogram("ng_request_seconds", "rtpengine NG commands.", ["command"], buckets=_REQUEST, registry=REGISTRY)
NG_FAILURES = Counter("ng_request_failures", "NG commands that failed.", ["command", "result"], registry=REGISTRY)

RTPENGINE_UP = Gauge("rtpengine_up", "1 while this rtpengine answers pings.", ["node"], registry=REGISTRY)
RTPENGINE_SESSIONS = Gauge("rtpengine_sessions", "Media legs of ours on this rtpengine.", ["node"], registry=REGISTRY)
RTPENGINE_TRANSCODED = Gauge(
    "rtpengine_transcoded_sessions",
    "Media legs, whosever they are, that this rtpengine turns from Opus into PCMU and back.",
    ["node"],
    registry=REGISTRY,
)
MEDIA_LEGS = Counter(
    "media_legs",
    "Media legs by the browser's codec (opus, pcmu) and what decided for it: setting, asked (for the call), load "
    "(the node transcodes enough), offered (the browser offers no other).",
    ["codec", "reason"],
    registry=REGISTRY,
)
RTPENGINE_PINGS_FAILED = Counter(
    "rtpengine_pings_failed", "Pings that this rtpengine did not answer in time.", ["node"], registry=REGISTRY
)
RTPENGINE_LEGS_LOST = Counter(
    "rtpengine_legs_lost", "Media legs that were lost with this rtpengine.", ["node"], registry=REGISTRY
)

WARM_LEGS = Gauge("warm_legs", "Media legs that stand ahead of their calls.", registry=REGISTRY)
WARM_TAKEN = Counter("warm_legs_taken_total", "Calls that began with a media leg made ahead.", registry=REGISTRY)
WEBSOCKETS = Gauge("websocket_sessions", "Open client WebSockets.", registry=REGISTRY)
HOOK_FAILURES = Counter("hook_failures", "Hook handlers that failed.", ["reason"], registry=REGISTRY)
RELEASES_GIVEN_UP = Counter(
    "releases_given_up", "Resources that could not be released; the sweep reaps them.", ["resource"], registry=REGISTRY
)
RESOURCES = Gauge(
    "resources",
    "What of ours stands in Asterisk and rtpengine, at the last sweep. standing: known (a call's that began in this "
    "process), adopted (a call's that an earlier process began), ownerless (a call's that talks and that no record "
    "tells of: it is kept), orphan (no call's: it is removed).",
    ["sort", "standing"],
    registry=REGISTRY,
)
OWNERLESS = Counter(
    "ownerless_calls_found", "Calls that were found talking, that no record tells of, and kept.", registry=REGISTRY
)
REAPED = Counter("resources_reaped", "Resources without a call, removed by the sweep.", ["resource"], registry=REGISTRY)

STORE_HEALTHY = Gauge(
    "call_store_healthy", "1 while the call memory can be written; 0: records are set aside.", registry=REGISTRY
)
STORE_WRITE_FAILURES = Counter(
    "call_store_write_failures", "Records that the call memory did not take at once.", registry=REGISTRY
)

CDR_HEALTHY = Gauge(
    "call_records_healthy", "1 while ended calls are written to the call records; 0: they are later.", registry=REGISTRY
)
CDR_WAITING = Gauge("call_records_waiting", "Ended calls that wait to be written.", registry=REGISTRY)
CDR_REFUSED = Counter(
    "call_records_refused", "Ended calls that the database of the call records does not take.", registry=REGISTRY
)

RECORDINGS_WAITING = Gauge(
    "recordings_waiting", "Recordings on their way from Asterisk to the store.", registry=REGISTRY
)
RECORDINGS_KEPT = Counter("recordings_kept", "Recordings that the store has taken.", registry=REGISTRY)
RECORDING_FAILURES = Counter(
    "recording_failures",
    "Tries that failed, each is repeated. fetch: from Asterisk, keep: into the store, delete: from Asterisk.",
    ["step"],
    registry=REGISTRY,
)


# To find the child of a label takes prometheus_client longer than to count: these are found once.
_ari_seconds, _ng_seconds, _ari_events = cache(ARI_SECONDS.labels), cache(NG_SECONDS.labels), cache(ARI_EVENTS.labels)


def observe_ari(op: str, seconds: float, result: str) -> None:
    """One ARI request. `op` as the API names it (`channels.dial`); `result`: ok, refused, timeout, unreachable."""
    _ari_seconds(op).observe(seconds)
    if result != "ok":
        ARI_FAILURES.labels(op, result).inc()


def observe_ng(command: str, seconds: float, result: str) -> None:
    """One NG command. `result`: ok, refused, timeout, unreachable."""
    _ng_seconds(command).observe(seconds)
    if result != "ok":
        NG_FAILURES.labels(command, result).inc()


def count_event(type: str) -> None:
    """One ARI event. `type` is of a closed set."""
    _ari_events(type).inc()
