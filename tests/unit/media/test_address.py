"""How the settings name rtpengines."""

import pytest

from ari_bridge.media.node_address import NodeAddress, parse_nodes


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("127.0.0.1:2223", NodeAddress("127.0.0.1", 2223, 1), "127.0.0.1:2223"),
        (" media-1.example.com:22*3 ", NodeAddress("media-1.example.com", 22, 3), "media-1.example.com:22"),
        ("[2001:db8::5]:2223*10", NodeAddress("2001:db8::5", 2223, 10), "[2001:db8::5]:2223"),
    ],
)
def test_an_address(text: str, address: NodeAddress, shown: str) -> None:
    assert NodeAddress.parse(text) == address
    assert str(address) == shown


def test_several_with_gaps_between() -> None:
    assert [str(node) for node in parse_nodes("a:1, b:2*2,, c:3 ,")] == ["a:1", "b:2", "c:3"]


@pytest.mark.parametrize(
    "text",
    ["", ",", "a", "a:", ":1", "a:0", "a:65536", "a:1*", "a:1*1001", "a:1*-1", "a:1,a:1*2", "2001:db8::5:1"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):
        parse_nodes(text)


@pytest.mark.parametrize(("host", "literal"), [("127.0.0.1", True), ("::1", True), ("media", False)])
def test_a_name_may_come_to_mean_another_machine(host: str, literal: bool) -> None:
    assert NodeAddress(host, 1).is_literal is literal
