"""Voicemail boxes are read on a channel that is never dialled: by few requests, and it is gone afterwards."""

import pytest

from ari_bridge.ari.mailboxes import Messages
from ari_bridge.errors import PeerRefused
from tests.component.conftest import Engine
from tests.fakes.ari import FakeAri


async def test_boxes_are_counted_and_those_that_do_not_exist_left_out(engine: Engine, fake_ari: FakeAri) -> None:
    fake_ari.mailboxes |= {"1001@default": (2, 1), "1002@default": (0, 0)}
    counted = await engine.client.mailboxes.count(["1001@default", "1002@default", "1003@default"])
    assert counted == {"1001@default": Messages(2, 1), "1002@default": Messages(0, 0)}
    assert not fake_ari.channels and not fake_ari.continued


async def test_what_is_known_and_has_not_changed_costs_one_request(engine: Engine, fake_ari: FakeAri) -> None:
    fake_ari.mailboxes |= {"1001@default": (2, 1), "1002@default": (3, 1)}
    known = {"1001@default": Messages(2, 1), "1002@default": Messages(2, 1)}
    counted = await engine.client.mailboxes.count(list(known), known)
    assert counted == {"1001@default": Messages(2, 1), "1002@default": Messages(3, 1)}
    asked = [asked["variable"] for name, asked in fake_ari.requests if name == "channels.getChannelVar"]
    assert asked == [
        "SET(TIMEOUT(absolute)=60)",
        "VM_INFO(1001@default,count,INBOX)",
        "VM_INFO(1002@default,count,INBOX)",
        "VM_INFO(1002@default,count,Old)",
    ]


@pytest.mark.parametrize("name", ["1001@default,count)}${SHELL(id", "1001", "@default", "1001@", "1001@default\n"])
async def test_no_name_that_could_be_more_reaches_the_pbx(engine: Engine, fake_ari: FakeAri, name: str) -> None:
    with pytest.raises(ValueError, match="is not a mailbox"):
        await engine.client.mailboxes.count([name])
    assert not fake_ari.count("channels.create")


async def test_the_channel_is_gone_though_the_reading_failed(engine: Engine, fake_ari: FakeAri) -> None:
    fake_ari.refuse["channels.getChannelVar"] = 500
    with pytest.raises(PeerRefused):
        await engine.client.mailboxes.count(["1001@default"])
    assert not fake_ari.channels
