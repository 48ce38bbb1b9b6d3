"""What the doctor finds on an Asterisk that answers: each with a cure that ends no call."""

from dataclasses import replace
from pathlib import Path

import pytest

from ari_bridge.diagnostics.checks import Finding, Result, Subject
from ari_bridge.diagnostics.doctor import examine
from ari_bridge.media.node_address import NodeAddress
from deploy.demo.rtpengine import Rtpengine
from tests.real.parts import Pbx, both_versions, new_pbx

pytestmark = pytest.mark.real


def subject(pbx: Pbx, rtpengine: Rtpengine) -> Subject:
    asterisk = pbx.asterisk
    return Subject(
        ari_url=asterisk.ari_url,
        ari_user=asterisk.ari_user,
        ari_password=asterisk.ari_password,
        ari_app="ari-bridge",
        rtpengine_ng=(NodeAddress.parse(rtpengine.ng_address),),
        dial_context="from-browser",
        users=("1001",),
        authentication=True,
    )


async def found(subject: Subject) -> dict[str, Finding]:
    findings = {finding.check: finding for finding in await examine(subject)}
    assert not any("restart Asterisk" in finding.cure for finding in findings.values())
    return findings


@both_versions
async def test_what_is_wrong_with_the_set_up_has_a_cure(pbx: Pbx, rtpengine: Rtpengine) -> None:
    right = subject(pbx, rtpengine)
    assert (await found(right))["dialplan"].result is Result.OK
    wrong = await found(replace(right, dial_context="from-nowhere", users=(), http_host="127.0.0.1"))
    assert wrong["dialplan"].result is Result.FAILED and "dialplan reload" in wrong["dialplan"].cure
    assert wrong["users"].result is Result.FAILED and "user add" in wrong["users"].cure
    assert wrong["address"].result is Result.WARNING and "HTTP_HOST" in wrong["address"].cure
    stranger = (await found(replace(right, users=("1001", "alice"))))["dialplan"]
    assert stranger.result is Result.WARNING and "exten => alice,1,Stasis(ari-bridge,inbound" in stranger.cure


async def test_chan_rtp_is_loaded_without_a_restart(tmp_path: Path, rtpengine: Rtpengine) -> None:
    pbx = new_pbx(tmp_path)
    with pbx.asterisk:
        pbx.asterisk.cli("module unload chan_rtp.so")
        findings = await found(subject(pbx, rtpengine))
        assert "module load chan_rtp.so" in findings["Asterisk modules"].cure
        assert findings["external media"].result is Result.FAILED
