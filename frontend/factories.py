"""Makes the parts of the engine as the settings say."""

from ari_bridge.ari.client import Ari
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
