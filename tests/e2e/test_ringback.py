"""Ringback while a call rings: heard until the far side itself is, and never over it. The page makes it itself."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.conftest import both_browsers
from tests.e2e.sides import CALLEE_TONE, TONES, callee
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
RINGBACK = 425.0  # Hz
LISTEN = """
(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (this instanceof GainNode && to === this.context.destination) {
      const tap = new AnalyserNode(this.context, { fftSize: 8192 });
      connect.call(this, tap);
      window.__tones = tap;
    }
    return connect.call(this, to, ...rest);
  };
})();
"""
LOUDEST = """() => {
  const tap = window.__tones;
  if (!tap) return 0;
  const bins = new Float32Array(tap.frequencyBinCount);
  tap.getFloatFrequencyData(bins);
  const top = bins.reduce((best, level, bin) => (level > bins[best] ? bin : best), 0);
  return bins[top] > -60 ? (top * tap.context.sampleRate) / tap.fftSize : 0;
}"""


async def hears_ringback(page: Page) -> None:
    """Waits for it: of five seconds it sounds in one."""
    await page.wait_for_function(f"() => Math.abs(({LOUDEST})() - {RINGBACK}) < 10", timeout=8000)


async def hears_no_ringback(page: Page) -> None:
    await page.wait_for_function(f"() => ({LOUDEST})() === 0", timeout=3000)


@both_browsers
async def test_a_183_without_sound_rings(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    keys = {"first": "SIP/2.0 180 Ringing", "second": "SIP/2.0 183 Session Progress"}
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path, "phone_progresses", **keys) as side:
        await phone.page.evaluate(LISTEN)
        await phone.call("7012")
        await side.sipp.saw("183 Session Progress")
        await hears_ringback(phone.page)
        await phone.sees("Ringing")
        await side.sipp.tell()
        await phone.talks()
        await hears_no_ringback(phone.page)
        await phone.hears_mix(TONES, CALLEE_TONE)
        await phone.press("Hang up")
        await side.sipp.done()


async def test_whoever_is_heard_before_the_answer_is_heard_alone(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path, "phone_plays_then_rings") as side:
        await phone.page.evaluate(LISTEN)
        await phone.call("7012")
        await side.sipp.saw("180 Ringing")
        await phone.hears_mix(TONES, CALLEE_TONE)
        await hears_no_ringback(phone.page)
        await phone.sees("Not answered yet")
        await side.sipp.tell()
        await phone.talks()
        await phone.press("Hang up")
        await side.sipp.done()
