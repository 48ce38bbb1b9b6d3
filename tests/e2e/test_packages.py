"""What strangers do with the packages and the API: every example runs as it is written, and is heard.

The examples call `http://localhost:3000`, where the demo answers. The browser of these tests finds theirs there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from ari_bridge.accounts.users_file import UsersFile
from deploy.demo.install import PROJECT, WEB
from tests.e2e.chromium import chromium
from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.ears import Ears
from tests.e2e.packages import Project, blocks, served
from tests.e2e.softphone import Watch, new_context
from tests.hang_up import hang_up_all
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.real.tone_file import write_tone

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0
CLIENT, REACT = (WEB / "packages" / name for name in ("sip-proxy-client", "sip-proxy-react"))
DOCS = PROJECT / "docs"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.install(tmp_path_factory.mktemp("packages"))


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody's web server and browser, on this machine."""

    browser: Browser
    origin: str
    http_port: int  # what the browser takes for port 3000
    ws_port: int  # and for 8080

    @asynccontextmanager
    async def opens(self, path: str) -> AsyncIterator[tuple[Page, Ears]]:
        """A page; in the end nothing may have gone wrong inside it."""
        async with new_context(self.browser) as context:
            ears = Ears()
            await ears.attach(context)
            page = await context.new_page()
            watch = Watch(page)
            await page.goto(f"{self.origin}/{path}")
            yield page, ears
            watch.require_none()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stranger(tmp_path_factory: pytest.TempPathFactory, project: Project) -> AsyncIterator[Stranger]:
    tone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    write_tone(tone, PAGE_TONE)
    http_port, ws_port = free_ports.ports(2)
    host = free_ports.HOST
    rules = f"--host-resolver-rules=MAP localhost:3000 {host}:{http_port},MAP localhost:8080 {host}:{ws_port}"
    async with chromium(tone, rules) as browser, served(project.built, DOCS / "examples") as origin:
        yield Stranger(browser, origin, http_port, ws_port)


@pytest_asyncio.fixture(loop_scope="session")
async def site(site_with: LiveSystemWith, stranger: Stranger) -> AsyncIterator[LiveSystem]:
    """A server that lets in the stranger's pages, and no others."""
    ports = {"http_port": stranger.http_port, "ws_port": stranger.ws_port}
    async with site_with(**ports, cors_origin=stranger.origin) as running:
        yield running


async def hears_and_hangs_up(page: Page, ears: Ears, *, hang_up: str = "Hang up") -> None:
    await ears.heard.wait_for_tone(MILLIWATT)
    await page.get_by_role("button", name=hang_up, exact=True).click()
    await ears.heard.wait_for_silence()


async def test_the_packages_are_all_that_is_installed(project: Project) -> None:
    assert project.installed() == {"sip-proxy-client", "sip-proxy-react"}


async def test_the_first_lines_of_the_client_s_readme_call(
    project: Project, stranger: Stranger, site: LiveSystem
) -> None:
    [first, *_] = blocks(CLIENT / "README.md")
    assert len(first.code.splitlines()) <= 10
    project.page("client-readme", first)
    await asyncio.to_thread(project.build, "client-readme")
    async with stranger.opens("built/client-readme/index.html") as (page, ears):
        button = page.get_by_role("button")
        await button.click()
        await expect(button).to_have_text("accepted")
        await hears_and_hangs_up(page, ears, hang_up="accepted")
        await expect(button).to_have_text("ended")


async def test_the_first_lines_of_the_hook_s_readme_call(
    project: Project, stranger: Stranger, site: LiveSystem
) -> None:
    [first, *_] = blocks(REACT / "README.md")
    assert len(first.code.splitlines()) <= 10
    project.page("react-readme", first)
    await asyncio.to_thread(project.build, "react-readme")
    async with stranger.opens("built/react-readme/index.html") as (page, ears):
        await page.get_by_role("button", name="Call 601").click()
        await hears_and_hangs_up(page, ears)
        await expect(page.get_by_role("button", name="Call 601")).to_be_visible()


@pytest.mark.parametrize("package", [CLIENT, REACT], ids=lambda folder: folder.name)
async def test_an_example_calls_and_its_call_outlives_a_reload(
    package: Path, project: Project, stranger: Stranger, site: LiveSystem
) -> None:
    name = f"{package.name}-example"
    project.copy(name, package / "example")
    await asyncio.to_thread(project.build, name)
    async with stranger.opens(f"built/{name}/index.html") as (page, ears):
        await expect(page.get_by_text("Online as guest-")).to_be_visible()
        await page.get_by_role("button", name="Call", exact=True).click()
        await ears.heard.wait_for_tone(MILLIWATT)
        [before] = site.app.calls.live()
        ears.forget()
        await page.reload()
        await ears.heard.wait_for_tone(MILLIWATT)
        assert [call.id for call in site.app.calls.live()] == [before.id]
        await page.get_by_role("button", name="Mute", exact=True).click()
        await expect(page.get_by_role("button", name="Unmute", exact=True)).to_be_visible()
        await hears_and_hangs_up(page, ears)
        await expect(page.get_by_role("button", name="Hang up")).to_be_hidden()


async def test_the_words_of_other_kits_work_with_a_sign_in(
    project: Project, stranger: Stranger, site_with: LiveSystemWith, tmp_path: Path
) -> None:
    users = tmp_path / "users"
    UsersFile(users).add("1001", "correct horse battery")
    signed_in = {"enable_authentication": True, "users_file": users, "token_secret_file": tmp_path / "secret"}
    ports = {"http_port": stranger.http_port, "ws_port": stranger.ws_port}
    [block] = [block for block in blocks(DOCS / "SDK.md") if "createCall(" in block.code]
    project.page("other-words", block)
    await asyncio.to_thread(project.build, "other-words")
    async with site_with(**ports, cors_origin=stranger.origin, **signed_in) as site:
        async with stranger.opens("built/other-words/index.html") as (page, ears):
            await expect(page.locator("body")).to_have_attribute("data-call", "connected")
            await ears.heard.wait_for_tone(MILLIWATT)
            [call] = site.app.calls.live()
            assert call.user == "1001"
            assert site.app.calls.get(call.id).recordings
            await hang_up_all(site.app.calls)
            await expect(page.locator("body")).to_have_attribute("data-call", "disconnected")


@pytest.mark.parametrize("example", ["fetch", "websocket"])
async def test_a_call_without_any_package(example: str, stranger: Stranger, site: LiveSystem) -> None:
    async with stranger.opens(f"examples/{example}.html") as (page, ears):
        await page.get_by_role("button", name="Call 601").click()
        await expect(page.get_by_role("status")).to_have_text("accepted")
        await hears_and_hangs_up(page, ears)
        await expect(page.get_by_role("status")).to_have_text("completed")


async def test_a_plain_websocket_is_called(stranger: Stranger, site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with stranger.opens("examples/incoming.html") as (page, ears):
        told = page.get_by_role("status")
        await expect(told).to_have_text("Calls for 1001 ring here.")
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            await expect(told).to_have_text("Desk phone is calling")
            await page.get_by_role("button", name="Answer").click()
            await expect(told).to_have_text("accepted")
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            await ears.heard.wait_for_tone(FAR_TONE)
            await page.get_by_role("button", name="Hang up").click()
            await expect(told).to_have_text("completed")
            await caller.done()


DOCUMENTS = [CLIENT / "README.md", REACT / "README.md", DOCS / "SDK.md", DOCS / "MIGRATION.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_every_block_of_the_documents_has_right_types(document: Path, project: Project) -> None:
    found = blocks(document)
    assert found
    files = {f"block{n}.{block.language}": f"{block.code}\nexport {{}};\n" for n, block in enumerate(found)}
    name = f"blocks-{document.parent.name}-{document.stem}"
    project.write(name, files)
    await asyncio.to_thread(project.check, name)


async def test_every_block_runs(project: Project, stranger: Stranger, site: LiveSystem) -> None:
    """Those of `phone.example.com` have no server, and those that export are for other programs to call."""
    every = [block for document in DOCUMENTS for block in blocks(document)]
    run = [block for block in every if "localhost" in block.code and "secret" not in block.code]
    assert len(run) >= 10
    paths = await asyncio.to_thread(project.pages, "every-block", run)
    for path, block in zip(paths, run, strict=True):
        async with stranger.opens(f"built/{path}") as (page, _):
            if "button" in block.code:
                await page.get_by_role("button").first.click()
            await page.wait_for_load_state("load")
            if "register()" in block.code or "call(" in block.code or "createCall(" in block.code:
                async with asyncio.timeout(8):
                    while not (site.app.calls.live() or site.app.pages.users()):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        await hang_up_all(site.app.calls)
