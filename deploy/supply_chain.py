"""What the product is made of, and whether any of it is known to be vulnerable.

`python3 -m deploy.supply_chain sbom` writes a CycloneDX bill of materials for each of the two languages to `sbom/`.
`python3 -m deploy.supply_chain audit` asks the registries for advisories: exit status 1 if there are some, 2 if one of
the registries has no answer, as a mirror of it may have none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.demo.install import PROJECT, WEB, install_node, node_environment, npm
from deploy.demo.steps import StepFailed, Steps, say

LOCK = PROJECT / "requirements-audit.lock"
TOOLS = PROJECT / ".audit-venv"
FOLDER = PROJECT / "sbom"
RUNTIME = PROJECT / "requirements.lock"
VULNERABLE, UNANSWERED = 1, 2


def install_tools(steps: Steps) -> None:
    """pip-audit and cyclonedx-bom, in an environment of their own: the product needs neither."""
    mark = TOOLS / "installed"
    if mark.exists() and mark.read_bytes() == LOCK.read_bytes():
        return
    with steps.step("pip-audit and cyclonedx-bom"):
        steps.run([sys.executable, "-m", "venv", "--clear", str(TOOLS)])
        pip = [str(TOOLS / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        steps.run([*pip, "--require-hashes", "-r", str(LOCK)])
        mark.write_bytes(LOCK.read_bytes())


def write_sbom(steps: Steps) -> None:
    """`sbom/python.cdx.json`: what the server installs. `sbom/npm.cdx.json`: what the pages are built of."""
    FOLDER.mkdir(exist_ok=True)
    with steps.step("sbom/python.cdx.json"):
        made = FOLDER / "python.cdx.json"
        command = [str(TOOLS / "bin/cyclonedx-py"), "requirements", str(RUNTIME), "--output-reproducible"]
        steps.run([*command, "--output-format", "JSON", "--output-file", str(made)])
    with steps.step("sbom/npm.cdx.json"):
        command = [*npm(), "sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev"]
        done = _run(command, WEB)
        if done.returncode:
            raise StepFailed("sbom/npm.cdx.json", command, steps.log, done.stderr[-2000:])
        (FOLDER / "npm.cdx.json").write_text(done.stdout)
    for name in ("python", "npm"):
        made = FOLDER / f"{name}.cdx.json"
        say(f"  {made.relative_to(PROJECT)}: {len(json.loads(made.read_text())['components'])} components")


def audit() -> int:
    """The exit status; says what each registry says."""
    pip_audit = str(TOOLS / "bin/pip-audit")
    python = _run(
        [pip_audit, "-r", str(RUNTIME), "--disable-pip", "--format", "json", "--progress-spinner", "off"], PROJECT
    )
    node = _run([*npm(), "audit", "--audit=true", "--omit", "dev", "--json"], WEB)
    told = [_tell("Python", *_python_findings(python.stdout)), _tell("npm", *_npm_findings(node.stdout))]
    return VULNERABLE if VULNERABLE in told else max(told)


def _python_findings(output: str) -> tuple[list[str], list[str]]:
    """(advisories, what could not be asked for), of pip-audit's JSON."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return [], ["the index has no advisories"]
    found = [f"{one['name']} {one['version']}: {bad['id']}" for one in packages for bad in one.get("vulns", ())]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    return found, skipped


def _npm_findings(output: str) -> tuple[list[str], list[str]]:
    """The same, of npm's JSON."""
    try:
        told = json.loads(output)
        return [f"{name}: {one['severity']}" for name, one in told["vulnerabilities"].items()], []
    except (ValueError, KeyError):
        return [], ["the registry has no advisories"]


def _tell(what: str, found: Sequence[str], unanswered: Sequence[str]) -> int:
    for line in found:
        say(f"  ✗ {what}: {line}")
    if unanswered:
        say(
            f"  ? {what}: not audited: {unanswered[0]}"
            + (f" (and {len(unanswered) - 1} more)" if unanswered[1:] else "")
        )
    if not found and not unanswered:
        say(f"  ✓ {what}: no known vulnerability")
    return VULNERABLE if found else UNANSWERED if unanswered else 0


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **node_environment()}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in (["sbom"], ["audit"]):
        say("Usage: python3 -m deploy.supply_chain {sbom,audit}")
        return 64
    steps = Steps(PROJECT / ".demo" / "supply_chain.log")
    try:
        install_node(steps)
        install_tools(steps)
        if list(arguments) == ["sbom"]:
            write_sbom(steps)
            return 0
        return audit()
    except StepFailed as error:
        say(str(error))
        return 70


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
