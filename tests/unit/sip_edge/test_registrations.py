"""What is read from a `ul.dump`; the first is that of a Kamailio 5.6.3."""

import json
from typing import Any

import pytest

from ari_bridge.sip_edge.registrations import MAX_REGISTRATIONS, Registration, parse

DUMP = """{"Domains":[{"Domain":{"Domain":"location","Size":1024,"AoRs":[{"Info":{"AoR":"1001","HashID":924766748,
"Contacts":[{"Contact":{"Address":"sip:1001@192.0.2.7:5060;transport=tcp","Expires":3600,"Q":1,
"Call-ID":"dfjrewr12386fd6-343@kamailio.rpc","CSeq":1,"User-Agent":"kamailio SIP Router - RPC Server",
"Received":"[not set]","Path":"[not set]","State":"CS_NEW","Flags":0,"CFlags":0,"Socket":"[not set]","Methods":8191,
"Ruid":"ulcx-6b0d1d72-67c6-1","Instance":"[not set]","Reg-Id":0,"Server-Id":0,"Tcpconn-Id":-1,"Keepalive":0,
"Last-Keepalive":1796021620,"KA-Roundtrip":0,"Last-Modified":0}}]}}],"Stats":{"Records":1,"Max-Slots":1}}}]}"""


def dump(*contacts: Any, user: str = "1001") -> dict[str, Any]:
    info = {"AoR": user, "Contacts": [{"Contact": contact} for contact in contacts]}
    return {"Domains": [{"Domain": {"AoRs": [{"Info": info}]}}]}


def test_a_real_one() -> None:
    assert parse(json.loads(DUMP), 1000.0) == [
        Registration(
            user="1001",
            contact="sip:1001@192.0.2.7:5060;transport=tcp",
            address="192.0.2.7",
            transport="tcp",
            user_agent="kamailio SIP Router - RPC Server",
            expires_at=4600.0,
        )
    ]


@pytest.mark.parametrize(
    ("contact", "transport", "address"),
    [
        ({"Address": "sip:a@h"}, "udp", "h"),
        ({"Address": "sip:a@h", "Socket": "tls:192.0.2.1:5061"}, "tls", "h"),
        ({"Address": "sip:x@y.invalid;transport=ws", "Received": "sip:192.0.2.9:4;transport=WS"}, "ws", "192.0.2.9"),
        ({"Address": "sip:a@[2001:db8::7]:5060"}, "udp", "2001:db8::7"),
        ({"Address": "sips:a@h?x=y", "Received": 7}, "udp", "h"),
        ({"Address": "nonsense"}, "udp", ""),
    ],
)
def test_where_it_comes_from(contact: dict[str, Any], transport: str, address: str) -> None:
    [one] = parse(dump({"Expires": 9, **contact}), 0.0)
    assert (one.transport, one.address) == (transport, address)


@pytest.mark.parametrize("expires", ["expired", "deleted", "permanent", 0, -1, None, 1.5])
def test_what_is_over_or_unreadable_is_left_out(expires: Any) -> None:
    good = {"Address": "sip:a@h", "Expires": 9}
    assert len(parse(dump({"Address": "sip:b@h", "Expires": expires}, good, {}, 7, {"Address": 7}), 0.0)) == 1


def test_domains_do_not_belong_to_names() -> None:
    assert parse(dump({"Address": "sip:a@h", "Expires": 9}, user="1001@example.com"), 0.0)[0].user == "1001"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, {"Domains": {}}])
def test_what_is_no_dump(value: Any) -> None:
    with pytest.raises(ValueError, match="no list of domains"):
        parse(value, 0.0)


@pytest.mark.parametrize("inner", [None, 1, [], {"Domain": 1}, {"Domain": {"AoRs": [1, {"Info": 1}, {"Info": {}}]}}])
def test_what_is_nobody(inner: Any) -> None:
    assert parse({"Domains": [inner]}, 0.0) == []


def test_there_is_a_bound() -> None:
    one = {"Address": "sip:a@h", "Expires": 9}
    with pytest.raises(ValueError, match="more than"):
        parse(dump(*[one] * (MAX_REGISTRATIONS + 1)), 0.0)
