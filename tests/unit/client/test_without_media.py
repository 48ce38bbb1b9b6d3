"""Without aiortc and numpy all but sound works, and whoever asks for sound is told what to install."""

import subprocess
import sys

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("aiortc", "aioice", "av", "numpy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import asyncio
from ari_bridge_client import CallInfo, Client, OfferOnlyMedia, HttpClient, MediaMissing
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_is_there_and_loads_no_media() -> None:
    assert run("print(not {'aiortc', 'numpy', 'av'} & set(sys.modules))") == "True\n"


def test_sounds_say_what_to_install() -> None:
    out = run(
        """
for ask in ("Tone", "File", "ReceivedAudio"):
    try:
        getattr(__import__("ari_bridge_client", fromlist=[ask]), ask)
    except MediaMissing as error:
        print(error.code, error.name, error.fatal, isinstance(error, ImportError), error)
try:
    import ari_bridge_client.aiortc_media
except ImportError as error:
    print(error)
"""
    )
    assert out.count("pip install 'ari-bridge-client[audio]'") == 4
    assert out.startswith("media_missing MediaMissing True True sound needs the package ")


def test_a_call_with_sound_says_so_before_anything_is_sent() -> None:
    out = run(
        """
async def main():
    client = Client("http://127.0.0.1:9")
    try:
        await client.call("600")
    except MediaMissing as error:
        print(error)
    await client.abort()

asyncio.run(main())
"""
    )
    assert "pip install 'ari-bridge-client[audio]'" in out


def test_ari_bridge_call_says_so_too() -> None:
    out = run(
        """
import typer.testing
from frontend.cli.commands import main
result = typer.testing.CliRunner().invoke(main, ["call", "601"])
print(result.exit_code, result.output)
"""
    )
    assert out.startswith("3 ") and "pip install 'ari-bridge-client[audio]'" in out


def test_the_client_knows_the_protocol_and_nothing_else_of_the_server() -> None:
    out = run("print(*sorted(name for name in sys.modules if name.split('.')[0] in ('ari_bridge', 'frontend')))")
    assert out == "\n"
