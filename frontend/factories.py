"""Makes the parts of the engine as the settings say."""

from ari_bridge.ari.client import Ari
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.usage_alarms import AlarmSettings
from ari_bridge.event_log import Retention
from ari_bridge.media.codec_policy import CodecPolicy, OpusOptions
from ari_bridge.media.pool import Pool
from ari_bridge.metrics import observe_ari, observe_ng
from ari_bridge.number_routing import Routes
from ari_bridge.recordings import Library, StoreKeys, open_store
from frontend.settings import Settings


def ari_client(settings: Settings) -> Ari:
    return Ari(
        settings.ari_url,
        settings.ari_user,
        settings.ari_password,
        settings.ari_app,
        timeout=settings.ari_timeout,
        request_observer=observe_ari,
    )


def media_pool(settings: Settings) -> Pool:
    return Pool(
        settings.rtpengine_ng,
        app=settings.ari_app,
        timeout=settings.rtpengine_timeout,
        request_observer=observe_ng,
        policy=CodecPolicy(
            settings.codecs,
            OpusOptions(fec=settings.opus_fec, dtx=settings.opus_dtx),
            limit=settings.transcoding_limit,
        ),
        candidates=settings.ice_candidates,
    )


def recording_library(settings: Settings) -> Library:
    keys = StoreKeys(
        settings.recording_s3_endpoint,
        settings.recording_s3_region,
        settings.aws_access_key_id,
        settings.aws_secret_access_key,
    )
    where = open_store(settings.recording_store, settings.state_dir, keys)
    return Library(where, settings.state_dir, days=settings.recording_days)


def number_routes(settings: Settings) -> Routes:
    return Routes(
        target_sip_server=settings.target_sip_server,
        target_sip_endpoint=settings.target_sip_endpoint,
        context=settings.dial_context,
        rules=Routes.parse_rules(settings.dial_routes),
    )


def dialled_context(settings: Settings) -> str:
    """The dialplan context in which calls start; "" if all of them bypass it."""
    return "" if settings.target_sip_server else settings.dial_context


def event_retention(settings: Settings) -> Retention:
    """How much of the event log is kept."""
    return Retention(settings.event_log_days, settings.event_log_rows, settings.event_log_ari_rows)


def call_limits(settings: Settings) -> Limits:
    """How many calls there may be, and how long they last."""
    return Limits(
        ring_timeout=settings.ring_timeout,
        setup_timeout=settings.setup_timeout,
        grace=settings.disconnect_grace,
        pbx_grace=settings.pbx_grace,
        max_calls=settings.max_calls,
        max_calls_per_user=settings.max_calls_per_user,
        max_legs=settings.max_legs,
        max_legs_per_tenant=settings.max_legs_per_tenant,
        max_legs_per_user=settings.max_legs_per_user,
        max_legs_per_minute=settings.max_legs_per_minute,
        max_legs_per_day=settings.max_legs_per_day,
        max_forwards_per_user=settings.max_forwards_per_user,
        max_minutes_per_day=dict(settings.max_minutes_per_day),
        max_call_seconds=settings.max_call_seconds,
        max_left_call_seconds=settings.max_left_call_seconds,
        alarms=AlarmSettings(
            new_destinations=settings.alarm_new_destinations,
            hours=_minutes_of_day(settings.alarm_hours),
            night_legs=settings.alarm_night_legs,
        ),
        record_all=settings.enable_call_recording,
        announcement=settings.recording_announcement,
    )


def _minutes_of_day(hours: str) -> tuple[int, int] | None:
    """Of `22:00-06:00`: minutes since midnight."""
    if not hours:
        return None
    begins, ends = (int(time[:2]) * 60 + int(time[3:]) for time in hours.split("-"))
    return begins, ends
