"""Media by aiortc, if that is installed: it is an extra, and is loaded when it is first needed."""

from typing import TYPE_CHECKING

from ari_bridge_client.errors import MediaMissing
from ari_bridge_client.media import Media

if TYPE_CHECKING:
    from ari_bridge_client.audio import Source


def create_media(source: "Source | None", codec: str) -> Media:
    """Media of a new call.

    Args:
        source: The sound to send. None: silence.
        codec: The only codec to offer; "": all that aiortc knows.

    Raises MediaMissing.
    """
    try:
        from ari_bridge_client.aiortc_media import AiortcMedia
    except ImportError as error:
        raise (error if isinstance(error, MediaMissing) else MediaMissing(error.name)) from error
    return AiortcMedia(source, codec=codec)
