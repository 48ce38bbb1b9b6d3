"""What the registries say of vulnerable packages is told, and silence is never told as safety."""

import json

import pytest

from deploy import supply_chain
from deploy.supply_chain import UNANSWERED, VULNERABLE

CLEAN = json.dumps({"dependencies": [{"name": "aiohttp", "version": "3.14.5", "vulns": []}]})
BAD = json.dumps({"dependencies": [{"name": "aiohttp", "version": "3.0", "vulns": [{"id": "GHSA-1"}]}]})
UNKNOWN = json.dumps({"dependencies": [{"name": "uvloop", "skip_reason": "Dependency not found on PyPI"}]})
NPM_CLEAN = json.dumps({"vulnerabilities": {}})
NPM_BAD = json.dumps({"vulnerabilities": {"vite": {"severity": "high"}}})


@pytest.mark.parametrize(
    ("python", "npm", "status", "told"),
    [
        (CLEAN, NPM_CLEAN, 0, "✓ Python: no known vulnerability"),
        (BAD, NPM_CLEAN, VULNERABLE, "✗ Python: aiohttp 3.0: GHSA-1"),
        (CLEAN, NPM_BAD, VULNERABLE, "✗ npm: vite: high"),
        (UNKNOWN, NPM_CLEAN, UNANSWERED, "? Python: not audited: uvloop: Dependency not found on PyPI"),
        (CLEAN, '{"message": "405 Method Not Allowed"}', UNANSWERED, "? npm: not audited"),
        ("", "", UNANSWERED, "? Python: not audited"),
    ],
)
def test_what_is_told(python: str, npm: str, status: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    findings = supply_chain._python_findings(python), supply_chain._npm_findings(npm)
    seen = [supply_chain._tell(name, *found) for name, found in zip(("Python", "npm"), findings, strict=True)]
    assert max(seen) == status or (status == VULNERABLE and VULNERABLE in seen)
    assert told in capsys.readouterr().out


def test_every_tool_is_vouched_for_by_a_hash() -> None:
    lines = supply_chain.LOCK.read_text().splitlines()
    packages = [number for number, line in enumerate(lines) if "==" in line]
    assert packages and all("--hash=sha256:" in lines[number + 1] for number in packages)
    assert not any("://" in line for line in lines)
