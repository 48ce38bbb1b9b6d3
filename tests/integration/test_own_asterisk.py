"""README, "Your own Asterisk", and docs/OWN-ASTERISK.md, followed word by word on a plain Asterisk 16 with phones."""

import asyncio
import itertools
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ari_bridge_client import Call, Client, HttpClient, Problem
from ari_bridge_client.audio import Tone
from ari_bridge_protocol.messages import CallPreferences
from tests.real.own_machine import ADDRESS, PHONES, PROJECT, Machine, own_network
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = pytest.mark.real

README = (PROJECT / "README.md").read_text()
PAGE = (PROJECT / "docs" / "OWN-ASTERISK.md").read_text()
URL = f"https://{ADDRESS}:3000"
SIP = 5060
PAGE_TONE, PHONE_TONE, OTHER_TONE = 440.0, 700.0, 900.0


def blocks(text: str, heading: str) -> list[str]:
    """The commands below a heading, in order."""
    [section] = re.findall(rf"^## {re.escape(heading)}.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
async def machine(network: None, tmp_path: Path) -> AsyncIterator[Machine]:
    async with Machine(tmp_path / "machine") as machine:
        yield machine


class People:
    """A page of each user, and the two phones. `folder`: for SIPp's logs."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._tls = ssl.create_default_context(cafile=str(machine.state / "cert.pem"))
        self._passwords = dict(re.findall(r"^(100\d): (\S+)$", machine.said, re.MULTILINE))
        self._folder = folder
        self._runs = itertools.count()

    def _logs(self) -> Path:
        """A folder for each run: what the one before has said may not be taken for this one's."""
        return self._folder / f"run-{next(self._runs)}"

    def trust(self, certificate: Path) -> None:
        self._tls.load_verify_locations(cafile=str(certificate))

    @asynccontextmanager
    async def page(self, user: str) -> AsyncIterator[Client]:
        """Signed in with the password that its user has chosen, trusting the certificate that was made."""
        async with Client(URL, user=user, password=self._passwords[user], tls=self._tls) as client:
            await client.register()
            yield client

    @asynccontextmanager
    async def http(self, user: str) -> AsyncIterator[HttpClient]:
        async with HttpClient(URL, tls=self._tls) as http:
            await http.sign_in(user, self._passwords[user])
            yield http

    async def choose_passwords(self) -> None:
        """Each at the first sign-in, as the page asks for it."""
        for user, printed in self._passwords.items():
            async with HttpClient(URL, tls=self._tls) as http:
                with pytest.raises(Problem) as asked:
                    await http.sign_in(user, printed)
                assert asked.value.code == "password_change_required"
                self._passwords[user] = f"my own words, {user} of them"
                await http.choose_password(asked.value.challenge, self._passwords[user])

    def answers(self, number: str, sound: RtpPeer) -> Sipp:
        return Sipp("phone_answers", self._logs(), port=PHONES[number], rtp_port=sound.port, seconds=60)

    def calls(self, number: str, target: str, sound: RtpPeer, *, scenario: str = "caller_hangs_up") -> Sipp:
        port = PHONES[number]
        return Sipp(
            scenario, self._logs(), to=SIP, port=port, number=target, rtp_port=sound.port, caller=number, seconds=60
        )


async def heard_both_ways(call: Call, sound: RtpPeer, tone: float = PHONE_TONE) -> None:
    stream = await sound.stream()
    await stream.heard.wait_for_tone(PAGE_TONE)
    await call.received_audio.wait_for_tone(tone)


async def test_the_steps_of_the_readme_make_a_phone_system_that_calls_forwards_and_takes_messages(
    machine: Machine, tmp_path: Path
) -> None:
    for commands in blocks(README, "Your own Asterisk"):
        if "systemctl reload ari-bridge" not in commands:  # the last: for later
            await machine.run(commands)
    assert machine.called[0].startswith("apt-get install")
    people = People(machine, tmp_path)

    await people.choose_passwords()
    await calls_a_phone(people)
    await is_called_by_a_phone(people)
    await phones_still_call_each_other(people)
    await is_forwarded(people)
    await leaves_a_message(people, machine)
    await talks_on_while_everything_is_reloaded(people, machine)


async def calls_a_phone(people: People, *, user: str = "1001", number: str = "201", phone: str = "201") -> None:
    async with people.page(user) as page, RtpPeer(PHONE_TONE) as sound, people.answers(phone, sound) as called:
        call = await page.call(number, source=Tone(PAGE_TONE))
        await call.wait_for("accepted", timeout=10)
        await heard_both_ways(call, sound)
        await call.hangup()
        await called.done()


async def is_called_by_a_phone(people: People) -> None:
    async with people.page("1001") as page, RtpPeer(PHONE_TONE) as sound, people.calls("201", "1001", sound) as caller:
        incoming = await page.incoming(timeout=10)
        assert incoming.caller == "201"
        call = await incoming.answer(Tone(PAGE_TONE))
        await heard_both_ways(call, sound)
        await caller.tell()
        await call.wait_for("ended", timeout=10)
        await caller.done()


async def phones_still_call_each_other(people: People) -> None:
    await reaches_the_other_phone(people, "202")


async def is_forwarded(people: People) -> None:
    """From a phone to a page that sends its calls to the other phone."""
    async with people.http("1001") as http:
        await http.set_preferences(CallPreferences(forward_always="202"))
        await reaches_the_other_phone(people, "1001")
        await http.set_preferences(CallPreferences())


async def reaches_the_other_phone(people: People, target: str) -> None:
    """201 calls `target`, 202 answers, and they hear each other."""
    async with RtpPeer(PHONE_TONE) as sound, RtpPeer(OTHER_TONE) as other:
        async with people.answers("202", other) as called, people.calls("201", target, sound) as caller:
            await asyncio.gather(speaks_first(sound, caller), speaks_first(other, called))
            await (await sound.stream()).heard.wait_for_tone(OTHER_TONE)
            await (await other.stream()).heard.wait_for_tone(PHONE_TONE)
            await caller.tell()
            await caller.done()
            await called.done()


async def speaks_first(sound: RtpPeer, phone: Sipp) -> None:
    """Two phones that both wait to be spoken to, the PBX alone between them, would wait for ever."""
    await phone.saw("m=audio")
    async with asyncio.timeout(10):
        while True:
            heard = phone.messages.rpartition("message received")[2]
            ports = re.findall(r"message received.*?^m=audio (\d+)", phone.messages, re.MULTILINE | re.DOTALL)
            if ports and heard:
                sound.speak(("127.0.0.1", int(ports[-1])))
                return
            await asyncio.sleep(0.05)


async def leaves_a_message(people: People, machine: Machine) -> None:
    """No page is open: the caller gets the box of the user, and the page is told of the message when it is back."""
    async with RtpPeer(PHONE_TONE) as sound, people.calls("201", "1001", sound) as caller:
        await speaks_first(sound, caller)
        box = machine.home / "var/spool/asterisk/voicemail/default/1001/tmp"
        async with asyncio.timeout(30):
            while not (box.is_dir() and any(box.iterdir())):  # noqa: ASYNC110  it records, after the greeting
                await asyncio.sleep(0.1)
        await asyncio.sleep(3)  # what is shorter than two seconds is no message
        await caller.tell()
        await caller.done()
    async with people.page("1001") as page:
        await page.wait_until(lambda: page.voicemail and page.voicemail.new, "a message", timeout=15)
        assert page.voicemail and (page.voicemail.new, page.voicemail.number) == (1, "*97")


async def talks_on_while_everything_is_reloaded(people: People, machine: Machine) -> None:
    [reload] = [commands for commands in blocks(README, "Your own Asterisk") if "systemctl reload" in commands]
    [hook] = blocks(PAGE, "The certificate")
    async with people.page("1001") as page, RtpPeer(PHONE_TONE) as sound, people.answers("201", sound) as phone:
        call = await page.call("201", source=Tone(PAGE_TONE))
        await call.wait_for("accepted", timeout=10)
        await heard_both_ways(call, sound)
        frames: list[int] = []
        call.received_audio.on_frame(lambda samples, rate: frames.append(len(samples)))

        before = await asyncio.to_thread(ssl.get_server_certificate, (ADDRESS, 3000))
        await machine.run(hook)
        await machine.run(renewal(machine))
        people.trust(machine.state / "cert.pem")
        settings = machine.state / ".env"
        settings.write_text(settings.read_text() + "LOG_LEVEL=debug\nDIAL_ROUTES=100=SIP/202\n")
        for line in reload.splitlines():
            await machine.run(line)
            news = len(frames) + 50  # a second
            async with asyncio.timeout(10):
                while len(frames) < news:  # noqa: ASYNC110  they come by themselves
                    await asyncio.sleep(0.1)
            await call.received_audio.wait_for_tone(PHONE_TONE)
        assert "settings reloaded" in machine.log("ari-bridge")
        assert before != await asyncio.to_thread(ssl.get_server_certificate, (ADDRESS, 3000))
        await page.wait_connected(timeout=20)
        await call.hangup()
        await phone.done()
    await calls_a_phone(people, user="1002", number="100", phone="202")  # what comes after is as before


def renewal(machine: Machine) -> str:
    """What certbot does: a new certificate in a folder, and its hook."""
    folder = machine.home / "lineage"
    folder.mkdir()
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "9",
    ]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"), "-subj", "/CN=renewed"]
    subprocess.run([*command, "-addext", f"subjectAltName=IP:{ADDRESS}"], check=True, capture_output=True)
    return f"RENEWED_LINEAGE={folder} /usr/local/sbin/ari-bridge-certificate"


def test_the_service_is_one_that_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("there is no systemd here")
    unit = (PROJECT / "deploy" / "ari-bridge.service").read_text()
    file = tmp_path / "ari-bridge.service"
    file.write_text(unit.replace("/opt/ari-bridge", str(PROJECT)).replace("User=ari-bridge", "User=root"))
    told = subprocess.run([program, "verify", str(file)], capture_output=True, text=True, env={**os.environ})
    assert told.returncode == 0 and "ari-bridge.service" not in told.stderr, told.stderr
