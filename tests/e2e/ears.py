"""What a page plays, as samples: the test recognises it by the same ears as all other tests.

Only what an audio element really plays is heard: an element that is paused, muted or without a stream gives nothing.
"""

import base64
from typing import Any

import numpy as np
from playwright.async_api import BrowserContext, Page

from ari_bridge_client.audio import ReceivedAudio, Samples

BINDING = "__heard"
SCRIPT = """
(() => {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const stream = this.srcObject;
    if (stream instanceof MediaStream && stream.getAudioTracks().length > 0) listen(this, stream);
    return play.call(this);
  };
  function listen(element, stream) {
    const context = new AudioContext();
    addEventListener("pointerup", () => context.state === "suspended" && context.resume(), true);
    const source = context.createMediaStreamSource(stream);
    const block = context.createScriptProcessor(4096, 1, 1);
    block.onaudioprocess = ({ inputBuffer }) => {
      if (element.srcObject !== stream) {
        block.onaudioprocess = null; // blocks that wait in line would close it again
        return void context.close();
      }
      if (element.paused || element.muted || element.volume === 0) return;
      const toInteger = (value) => Math.max(-1, Math.min(1, value)) * 32767;
      const samples = Int16Array.from(inputBuffer.getChannelData(0), toInteger);
      window.BINDING(context.sampleRate, btoa(String.fromCharCode(...new Uint8Array(samples.buffer))));
    };
    source.connect(block).connect(context.destination);
  }
})();
""".replace("BINDING", BINDING)


class Ears:
    """`heard` is what the pages of a context have played since `forget`, or since the start."""

    def __init__(self) -> None:
        self.heard = ReceivedAudio()

    def forget(self) -> None:
        """The next call begins anew."""
        self.heard = ReceivedAudio()

    async def attach(self, context: BrowserContext) -> None:
        """Before the first page of the context is opened."""
        await context.expose_binding(BINDING, self._take)
        await context.add_init_script(SCRIPT)

    def _take(self, source: Any, rate: float, block: str) -> None:
        samples: Samples = np.frombuffer(base64.b64decode(block), dtype=np.int16)
        self.heard.feed(samples, round(rate))


async def codecs_of(page: Page) -> dict[str, str]:
    """What the page's call receives and sends, as `getStats` has it: by `inbound-rtp` and `outbound-rtp`."""
    codecs: dict[str, str] = await page.evaluate(
        """async () => {
          const all = [...(await window.__phone.peer().getStats()).values()];
          const streams = all.filter(({ type }) => type === "inbound-rtp" || type === "outbound-rtp");
          const codec = (stream) => all.find(({ id }) => id === stream.codecId)?.mimeType ?? "";
          return Object.fromEntries(streams.map((stream) => [stream.type, codec(stream)]));
        }"""
    )
    return codecs
