"""Every Prometheus metric, declared once.

Label values come from closed sets (outcomes, directions, operation names, the settings' nodes), never
from what callers send. Times are in seconds.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SETUP_BUCKETS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

# --- calls ---

CALLS = Counter("calls", "Ended calls.", ["direction", "outcome"], registry=REGISTRY)
ACTIVE_CALLS = Gauge("active_calls", "Calls that have not ended.", ["direction"], registry=REGISTRY)
CALL_DURATION = Histogram(
    "call_duration_seconds",
    "Duration of answered calls, from the answer to the end.",
    ["direction"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200),
    registry=REGISTRY,
)
CALL_SETUP = Histogram(
    "call_setup_seconds",
    "Duration of the call set-up, by phase. invite: from the offer until the dial command is done. answer: from the "
    "offer to the SDP answer. bridged: from the far side's answer (outbound) or the user's (inbound) until both legs "
    "are bridged and answered; 0 if they were already.",
    ["phase"],
    buckets=_SETUP_BUCKETS,
    registry=REGISTRY,
)
DIAL_REFUSED = Counter(
    "dial_refused",
    "Numbers that dial permissions have refused.",
    ["kind", "number_class"],
    registry=REGISTRY,
)
USAGE_ALARMS = Counter(
    "usage_alarms",
    "Alarms about what users cause, by kind.",
    ["alarm"],
    registry=REGISTRY,
)
OUTGOING_STOPPED = Gauge(
    "outgoing_stopped",
    "1 while an operator has stopped all outgoing calls.",
    registry=REGISTRY,
)
OWNERLESS_CALLS = Counter(
    "ownerless_calls_found",
    "Active calls found in Asterisk without a row in the call store; they are kept.",
    registry=REGISTRY,
)

# --- Asterisk ---

ARI_CONNECTED = Gauge("ari_connected", "1 while the ARI event stream is connected.", registry=REGISTRY)
ARI_REQUEST = Histogram(
    "ari_request_seconds", "Duration of ARI requests.", ["operation"], buckets=_REQUEST_BUCKETS, registry=REGISTRY
)
ARI_FAILURES = Counter("ari_request_failures", "Failed ARI requests.", ["operation", "result"], registry=REGISTRY)
ARI_EVENTS = Counter("ari_events", "Received ARI events.", ["type"], registry=REGISTRY)
ARI_EVENT_LAG = Histogram(
    "ari_event_lag_seconds",
    "From Asterisk's timestamp of an event (in whole milliseconds) until it is handled.",
    buckets=_REQUEST_BUCKETS,
    registry=REGISTRY,
)
ARI_TAKEOVERS = Counter(
    "ari_application_takeovers",
    "How often another client took over our ARI application; it is taken back each time.",
    registry=REGISTRY,
)

# --- rtpengine ---

NG_REQUEST = Histogram(
    "ng_request_seconds",
    "Duration of rtpengine NG commands.",
    ["command"],
    buckets=_REQUEST_BUCKETS,
    registry=REGISTRY,
)
NG_FAILURES = Counter("ng_request_failures", "Failed rtpengine NG commands.", ["command", "result"], registry=REGISTRY)
RTPENGINE_UP = Gauge("rtpengine_up", "1 while this rtpengine responds to pings.", ["node"], registry=REGISTRY)
RTPENGINE_SESSIONS = Gauge("rtpengine_sessions", "Our media legs on this rtpengine.", ["node"], registry=REGISTRY)
RTPENGINE_TRANSCODED = Gauge(
    "rtpengine_transcoded_sessions",
    "Media legs that this rtpengine transcodes between Opus and PCMU, including those of other programs.",
    ["node"],
    registry=REGISTRY,
)
RTPENGINE_PING_FAILURES = Counter(
    "rtpengine_ping_failures", "Pings that this rtpengine did not answer in time.", ["node"], registry=REGISTRY
)
RTPENGINE_SESSIONS_LOST = Counter(
    "rtpengine_sessions_lost",
    "Media legs lost because this rtpengine failed or restarted.",
    ["node"],
    registry=REGISTRY,
)
MEDIA_LEGS = Counter(
    "media_legs",
    "Media legs by the browser's codec (opus, pcmu) and the reason for it. setting: CODECS. requested: by the client, "
    "for this call. load: the node transcodes enough. offered: the browser offers no other.",
    ["codec", "reason"],
    registry=REGISTRY,
)
PREWARMED_LEGS = Gauge("prewarmed_legs", "Media legs set up ahead of their calls.", registry=REGISTRY)
PREWARMED_LEGS_USED = Counter(
    "prewarmed_legs_used", "Calls that started with a pre-warmed media leg.", registry=REGISTRY
)

# --- releasing ---

RELEASE_FAILURES = Counter(
    "resource_release_failures",
    "Resources that could not be released; the periodic sweep removes them.",
    ["resource"],
    registry=REGISTRY,
)
RESOURCES = Gauge(
    "resources",
    "Our resources in Asterisk and rtpengine at the last sweep. ownership: known (of a call of this process), adopted "
    "(of a call that an earlier process started), ownerless (of an active call without a row in the call store: it is "
    "kept), orphan (of no call: it is removed).",
    ["kind", "ownership"],
    registry=REGISTRY,
)
ORPHANS_REMOVED = Counter(
    "orphaned_resources_removed", "Resources of no call, removed by the sweep.", ["kind"], registry=REGISTRY
)

# --- clients and plugins ---

WEBSOCKET_CONNECTIONS = Gauge("websocket_connections", "Open client WebSockets.", registry=REGISTRY)
CONNECTIONS_REFUSED = Counter(
    "connections_refused",
    "Connections that were closed at once. limit: rate (new connections of a network), per_network, strangers, total.",
    ["limit"],
    registry=REGISTRY,
)
CONNECTIONS_DISPLACED = Counter(
    "connections_displaced",
    "Connections on which the server waited for the client, closed so that a newcomer got in. holder: stranger, user.",
    ["holder"],
    registry=REGISTRY,
)
CONNECTIONS_CUT = Counter(
    "connections_cut",
    "Connections closed for what the client did. reason: headers, body (not complete in time), head_size, "
    "reader (it took nothing of a response), stranger (its WebSocket sent too much before the sign-in).",
    ["reason"],
    registry=REGISTRY,
)
REQUESTS_REFUSED = Counter(
    "http_requests_refused",
    "Requests that got 429 at the door. reason: rate (or too many connections), costly.",
    ["reason"],
    registry=REGISTRY,
)
HOOK_FAILURES = Counter("hook_failures", "Failed hook handlers.", ["reason"], registry=REGISTRY)

# --- persistence ---

STORE_HEALTHY = Gauge(
    "call_store_healthy",
    "1 while the call store is writable; 0 while writes are buffered to the journal.",
    registry=REGISTRY,
)
STORE_WRITE_FAILURES = Counter("call_store_write_failures", "Failed writes to the call store.", registry=REGISTRY)

EVENTS_LOST = Counter(
    "events_lost", "Events that could be written neither to the event log nor to the journal.", registry=REGISTRY
)

CDR_HEALTHY = Gauge(
    "cdr_healthy",
    "1 while call detail records are written; 0 while they are queued because the database is unavailable.",
    registry=REGISTRY,
)
CDR_PENDING = Gauge("cdr_pending", "Call detail records that wait to be written.", registry=REGISTRY)
CDR_REJECTED = Counter("cdr_rejected", "Call detail records that the database rejected.", registry=REGISTRY)

AUDIT_HEALTHY = Gauge(
    "audit_healthy",
    "1 while the audit log is written; 0 while its entries are kept in memory because the database is unavailable.",
    registry=REGISTRY,
)
AUDIT_PENDING = Gauge("audit_pending", "Audit entries that wait to be written.", registry=REGISTRY)
AUDIT_LOST = Counter(
    "audit_entries_lost",
    "Audit entries that the audit log could not keep; the server's log has them.",
    registry=REGISTRY,
)

RECORDINGS_PENDING = Gauge(
    "recordings_pending", "Recordings on their way from Asterisk to the recording store.", registry=REGISTRY
)
RECORDINGS_STORED = Counter("recordings_stored", "Recordings written to the recording store.", registry=REGISTRY)
RECORDING_FAILURES = Counter(
    "recording_failures",
    "Failed attempts to process a recording; each is retried. fetch: from Asterisk. store: to the recording store. "
    "delete: from Asterisk.",
    ["step"],
    registry=REGISTRY,
)


# Looking a label's child up takes prometheus_client longer than counting: these are looked up once.
_ari_request, _ng_request, _ari_events = cache(ARI_REQUEST.labels), cache(NG_REQUEST.labels), cache(ARI_EVENTS.labels)


def observe_ari(operation: str, seconds: float, result: str) -> None:
    """Count an ARI request.

    Args:
        operation: as the API names it (`channels.dial`).
        seconds: its duration.
        result: ok, refused, timeout or unreachable.
    """
    _ari_request(operation).observe(seconds)
    if result != "ok":
        ARI_FAILURES.labels(operation, result).inc()


def observe_ng(command: str, seconds: float, result: str) -> None:
    """Count an NG command.

    Args:
        command: its name.
        seconds: its duration.
        result: ok, refused, timeout or unreachable.
    """
    _ng_request(command).observe(seconds)
    if result != "ok":
        NG_FAILURES.labels(command, result).inc()


def count_event(type: str) -> None:
    """Count an ARI event. `type` is from a closed set."""
    _ari_events(type).inc()
