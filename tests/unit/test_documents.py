"""The documents: no dead link, and every block of code in them has a test that reads it as what it says to be.

TypeScript is compiled and run by tests/e2e/test_packages.py, `http` and `js` run by
tests/component/frontend/test_api_guide.py, Python by tests/integration/test_python_guide.py; the rest is here.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from ari_bridge.hooks import Hooks
from deploy.demo.install import PROJECT
from frontend.cli.commands import main as commands

DOCUMENTS = sorted(
    path.relative_to(PROJECT)
    for path in (PROJECT / "README.md", *PROJECT.glob("docs/*.md"), *PROJECT.glob("frontend/web/packages/*/README.md"))
)
_FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\]]|\](?!\())*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    document: Path
    line: int
    language: str  # "": a picture or an output, for people only
    code: str


def blocks_of(document: Path) -> list[Block]:
    text = (PROJECT / document).read_text()
    return [
        Block(document, text.count("\n", 0, found.start()) + 1, found[2], re.sub(f"(?m)^{found[1]}", "", found[3]))
        for found in _FENCE.finditer(text)
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]
PACKAGES, GUIDES = {"sip-proxy-client", "sip-proxy-react"}, {"SDK.md", "MIGRATION.md"}


def of(language: str) -> list[pytest.param]:  # type: ignore[valid-type]
    return [
        pytest.param(block, id=f"{block.document.as_posix()}:{block.line}")
        for block in BLOCKS
        if block.language == language
    ]


def anchors_of(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = _FENCE.sub("", (PROJECT / document).read_text())
    words = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in words}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_link_is_dead(document: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", (PROJECT / document).read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = ((PROJECT / document).parent / name).resolve() if name else PROJECT / document
        assert target.exists(), f"{document}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target.relative_to(PROJECT)), f"{document}: {link}"


def test_every_block_has_somebody_who_reads_it() -> None:
    for block in BLOCKS:
        name, folder = block.document.name, block.document.parent.name
        match block.language:
            case "ts" | "tsx":
                assert name in GUIDES or folder in PACKAGES, block
            case "http" | "js":
                assert name in {"API.md", "HTTP.md", "USERS.md"}, block
            case "python":
                assert name in {"PYTHON.md", "HOOKS.md", "USERS.md", "DIRECT_SIP.md"}, block
            case "json" | "sh" | "ini" | "text" | "mermaid" | "":
                pass
            case _:
                raise AssertionError(block)


@pytest.mark.parametrize("block", of("json"))
def test_json(block: Block) -> None:
    rest = block.code.strip().replace(": {…}", ": {}")
    while rest:
        _, end = json.JSONDecoder().raw_decode(rest)
        rest = rest[end:].lstrip()


@pytest.mark.parametrize("block", of("sh"))
def test_a_shell_takes_it_and_its_commands_are_there(block: Block) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.code, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    code = re.sub(r"(?m)(^|\s)#.*$", "", block.code)
    targets = set(re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text()))
    assert set(re.findall(r"(?m)^make (\w+)", code)) <= targets
    known = {command.name or command.callback.__name__ for command in commands.registered_commands if command.callback}
    known |= {group.name for group in commands.registered_groups if group.name}
    assert set(re.findall(r"(?:^|\s|bin/)ari-bridge ([a-z-]+)", code)) <= known
    for module in re.findall(r"python -m (tests[\w.]*)", code):
        path = PROJECT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def test_the_plugin_of_the_hooks_guide_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block for block in BLOCKS if block.language == "python" and block.document.name == "HOOKS.md"]
    names: dict[str, object] = {}
    exec(compile(block.code, "HOOKS.md", "exec"), names)  # as a stranger's plugin is loaded
    setup = names["setup"]
    assert callable(setup)
    setup(Hooks())
