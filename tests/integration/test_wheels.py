"""What strangers install: the client without the server, and the server, each in an environment of its own."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.test_python_guide import PROGRAMS, SERVER, pattern
from tests.real.live_system import LiveSystemWith
from tests.real.wheels import Environment, build_client, build_server, top_levels

pytestmark = pytest.mark.real
OF_THE_SERVER = {
    "alembic",
    "aiosqlite",
    "argon2-cffi",
    "asyncari",
    "asyncpg",
    "obstore",
    "pyjwt",
    "sqlalchemy",
    "uvloop",
}
WITHOUT_OURS = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ARI_PASSWORD")}


@pytest.fixture(scope="module")
def client_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_client(tmp_path_factory.mktemp("client"))


def test_the_client_installs_nothing_of_the_server(client_wheel: Path, tmp_path: Path) -> None:
    assert top_levels(client_wheel) == {"ari_bridge_client", "ari_bridge_protocol"}
    environment = Environment(tmp_path / "venv")
    environment.install(client_wheel)
    assert {"aiohttp", "msgspec"} <= environment.distributions
    assert environment.distributions.isdisjoint(OF_THE_SERVER | {"aiortc", "numpy"})
    program = (
        "import importlib.util, ari_bridge_client\n"
        "print(ari_bridge_client.HttpClient.__name__)\n"
        "print([name for name in ('ari_bridge', 'frontend', 'tests', 'deploy') if importlib.util.find_spec(name)])\n"
    )
    done = subprocess.run([environment.python, "-c", program], cwd=tmp_path, env=WITHOUT_OURS, capture_output=True)
    assert (done.stdout.decode(), done.stderr.decode()) == ("HttpClient\n[]\n", "")


async def test_the_first_program_of_the_guide_runs_with_the_client_alone(
    client_wheel: Path, site_with: LiveSystemWith, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "venv")
    environment.install(client_wheel, extras={"audio"})
    assert environment.distributions.isdisjoint(OF_THE_SERVER)
    async with site_with() as site:
        code = PROGRAMS[0].code.replace(SERVER, site.app.url.removeprefix("http://"))
        process = await asyncio.create_subprocess_exec(
            environment.python,
            *("-c", code),
            cwd=tmp_path,
            env=WITHOUT_OURS,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed = (await process.communicate())[0].decode()
    assert re.fullmatch(pattern(PROGRAMS[0].prints), printed), printed


def test_the_server_runs_from_its_wheel(client_wheel: Path, tmp_path: Path) -> None:
    wheel = build_server(tmp_path)
    assert top_levels(wheel) == {"ari_bridge", "frontend"}
    environment = Environment(tmp_path / "venv")
    environment.install(wheel, client_wheel)
    assert environment.distributions.isdisjoint({"aiortc", "numpy", "pytest"})

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [str(environment.bin / "ari-bridge"), *arguments]
        env = {**WITHOUT_OURS, **settings}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    said = run("--help")
    assert said.returncode == 0 and {"serve", "call", "doctor"} <= set(re.findall(r"\w+", said.stdout)), said
    said = run("call", "601")
    assert "pip install 'ari-bridge-client[audio]'" in said.stderr, said
    nowhere = {"ARI_URL": "http://127.0.0.1:9/ari", "RTPENGINE_NG": "127.0.0.1:9", "STATE_DIR": str(tmp_path / "state")}
    said = run("doctor", ARI_PASSWORD="secret", **nowhere)
    assert said.returncode == 1 and "ARI" in said.stdout and "Traceback" not in said.stdout + said.stderr, said
