"""Checks of what a call needs, one by one, each with a cure.

Every check is independent and speaks to the peers in the plainest way: the doctor is asked when the clients of `ari`
and `media` cannot start.
"""

import asyncio

import aiohttp

from ari_bridge.diagnostics.asterisk_checks import MEDIA, AsteriskChecks
from ari_bridge.diagnostics.checks import CHECK_TIMEOUT_S, CheckFailed, Finding, Result, Subject
from ari_bridge.diagnostics.edge_checks import EdgeChecks
from ari_bridge.diagnostics.peer_checks import PeerChecks
from ari_bridge.diagnostics.rtpengine_checks import RtpengineChecks
from ari_bridge.diagnostics.server_checks import ServerChecks
from ari_bridge.errors import PeerError


async def examine(subject: Subject) -> list[Finding]:
    """Every check, in an order in which the first failure explains those after it."""
    server = ServerChecks(subject)
    asterisk, rtpengine = AsteriskChecks(subject), RtpengineChecks(subject)
    findings: list[Finding] = []
    failed: set[str] = set()
    edge = EdgeChecks(subject, asterisk).all({MEDIA})
    checks = [*asterisk.all(), *server.access(), *rtpengine.all(), *edge, *PeerChecks(subject).all(), *server.files()]
    for name, needs, check in checks:
        if missing := failed & needs:
            findings.append(Finding(name, Result.SKIPPED, f"needs: {', '.join(sorted(missing))}"))
            failed.add(name)
            continue
        try:
            async with asyncio.timeout(4 * CHECK_TIMEOUT_S):
                seen, warning = await check()
        except CheckFailed as failure:
            findings.append(Finding(name, Result.FAILED, str(failure), failure.cure))
            failed.add(name)
        except (PeerError, TimeoutError, OSError, aiohttp.ClientError) as error:
            seen = str(error) or "no answer in time"
            findings.append(Finding(name, Result.FAILED, seen, "See Asterisk's and rtpengine's own logs."))
            failed.add(name)
        else:
            findings.append(Finding(name, Result.WARNING if warning else Result.OK, seen, warning))
    return findings
