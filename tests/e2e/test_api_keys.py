"""A page with an API key that was made for pages: whoever opens it calls as a guest, and hears."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from ari_bridge.guest_names import guest_key
from deploy.demo.install import WEB
from tests.e2e.accounts import accounts
from tests.e2e.ears import Ears
from tests.e2e.packages import served
from tests.e2e.softphone import Watch, new_context
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0
SDK = WEB / "packages" / "sip-proxy-client" / "dist"
PAGE = """\
<!doctype html>
<meta charset="utf-8" />
<button></button>
<script type="module">
  import {{ SIPProxyClient }} from "/dist/index.js";

  const client = new SIPProxyClient({{ proxyUrl: "{url}", credentials: {{ apiKey: "{key}", secret: "{secret}" }} }});
  const button = document.querySelector("button");
  const show = (text) => (button.textContent = text);
  client.on("error", ({{ code, message }}) => show(`${{code}}: ${{message}}`));
  button.onclick = () => {{
    const call = client.call("601");
    call.on("stateChanged", ({{ phase }}) => show(phase));
    button.onclick = () => call.hangup();
  }};
  client.register().then(() => show("Call"), () => undefined);
</script>
"""


async def test_a_guest_of_a_page_calls_and_is_heard(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    async with served(SDK, pages) as origin:
        async with site_with(**accounts(tmp_path, "1001"), cors_origin=origin) as site:
            scopes = ("tokens:create", "dial", "receive")
            for_pages, secret = await site.app.accounts.api_keys.create("button", scopes, origins=[origin])
            for_servers, other = await site.app.accounts.api_keys.create("server", scopes)
            for name, key, its in (("button", for_pages, secret), ("leaked", for_servers, other)):
                text = PAGE.format(url=site.app.url, key=key.id, secret=its)
                await asyncio.to_thread((pages / f"{name}.html").write_text, text)
            async with new_context(browser) as context:
                ears = Ears()
                await ears.attach(context)
                page = await context.new_page()
                watch, told = Watch(page), []
                page.on("console", lambda message: told.append((message.type, message.text)))
                await page.goto(f"{origin}/pages/button.html")
                button = page.get_by_role("button")
                await expect(button).to_have_text("Call")
                assert any(kind == "warning" and for_pages.id in text for kind, text in told), told
                assert not any(secret in text for _, text in told)
                await button.click()
                await ears.heard.wait_for_tone(MILLIWATT)
                [call] = site.app.calls.live()
                assert guest_key(call.user or "") == for_pages.id
                await page.reload()
                await expect(button).to_have_text("Call")
                [again] = site.app.calls.live()
                assert again.id == call.id, "the guest is another one after a reload"
                await site.app.accounts.api_keys.revoke(for_pages.id)
                site.app.calls.hangup(call.id)
                await ears.heard.wait_for_silence()
                watch.forgive("401")
                await page.goto(f"{origin}/pages/leaked.html")
                await expect(button).to_contain_text(
                    "unauthorized: This API key is for servers, and a page has sent it"
                )
                watch.forgive("401")
                watch.require_none()
