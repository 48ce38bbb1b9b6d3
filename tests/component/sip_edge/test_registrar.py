"""Who is registered at the SIP edge, asked of a tiny Kamailio: also while it is away, hangs, or answers nonsense."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.sip_edge import EdgeRegistrar, EdgeRpc
from ari_bridge.sip_edge.rpc import MAX_ANSWER_BYTES
from tests.fakes.kamailio import FakeKamailio


@pytest.fixture
async def edge() -> AsyncIterator[FakeKamailio]:
    async with FakeKamailio() as edge:
        yield edge


@pytest.fixture
async def registrar(edge: FakeKamailio) -> AsyncIterator[EdgeRegistrar]:
    registrar = EdgeRegistrar(EdgeRpc(edge.url, edge.token), lambda user: user != "gone", interval=0.02)
    yield registrar
    await registrar.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_phone_comes_and_goes(edge: FakeKamailio, registrar: EdgeRegistrar) -> None:
    told: list[frozenset[str]] = []
    registrar.on_change(lambda: told.append(registrar.users()))
    await registrar.start()
    await until(lambda: not registrar.reason)
    assert registrar.registrations() == [] and registrar.read_at
    edge.register("1001", "sip:1001@10.0.0.7:5060", Received="sip:192.0.2.7:40000;transport=TLS", User_Agent="Desk 7")
    await until(lambda: told)
    [one] = registrar.registrations()
    assert (one.user, one.contact, one.address) == ("1001", "sip:1001@10.0.0.7:5060", "192.0.2.7")
    assert (one.transport, one.user_agent) == ("tls", "Desk 7")
    del edge.contacts["1001"]
    await until(lambda: len(told) == 2)
    assert told == [{"1001"}, frozenset()]


async def test_while_the_edge_is_away_its_last_word_counts_and_is_called_old(
    edge: FakeKamailio, registrar: EdgeRegistrar
) -> None:
    edge.register("1001", "sip:1001@192.0.2.7")
    await registrar.start()
    await until(registrar.users)
    await edge.stop()
    await until(lambda: registrar.reason)
    assert "cannot be reached" in registrar.reason and registrar.users() == {"1001"}
    edge.contacts.clear()
    await edge.start()
    await until(lambda: not registrar.reason and not registrar.users())


async def test_a_contact_expires_also_while_the_edge_is_away(edge: FakeKamailio, registrar: EdgeRegistrar) -> None:
    edge.register("1001", "sip:1001@192.0.2.7", Expires=1)
    await registrar.start()
    await until(registrar.users)
    await edge.stop()
    await until(lambda: not registrar.users())


async def test_what_is_dropped_is_gone_at_once(edge: FakeKamailio, registrar: EdgeRegistrar) -> None:
    for user in ("1001", "1002"):
        edge.register(user, f"sip:{user}@192.0.2.7")
    await registrar.start()
    await until(registrar.users)
    registrar.drop("1001", contacts=True)
    registrar.drop("1002", contacts=False)
    await until(lambda: not edge.tables["ha1"] and not edge.tables["fresh"])
    await until(lambda: registrar.users() == {"1002"})
    registrar.drop("1001", contacts=True)  # it is gone already: that is no failure
    await until(lambda: edge.requests.count(("ul.rm", "location", "1001")) == 2)
    assert not registrar.reason


async def test_what_could_not_be_dropped_is_dropped_later(edge: FakeKamailio, registrar: EdgeRegistrar) -> None:
    edge.register("1001", "sip:1001@192.0.2.7")
    await registrar.start()
    await until(registrar.users)
    await edge.stop()
    registrar.drop("1001", contacts=True)
    registrar.drop("1001", contacts=False)  # the phones are to go all the same
    await until(lambda: registrar.reason)
    await edge.start()
    await until(lambda: not edge.contacts and not edge.tables["ha1"])
    await until(lambda: not registrar.users())


async def test_who_may_not_be_registered_is_removed_whenever_that_was_missed(
    edge: FakeKamailio, registrar: EdgeRegistrar
) -> None:
    edge.register("gone", "sip:gone@192.0.2.7")
    edge.register("1001", "sip:1001@192.0.2.7")
    await registrar.start()
    await until(registrar.users)
    assert registrar.users() == {"1001"}
    await until(lambda: list(edge.contacts) == ["1001"] and edge.tables["ha1"] == {"1001"})


NONSENSE = [
    b"",
    b"not JSON",
    b"[]",
    b"{}",
    b"\xff",
    b"[" * 100_000,
    b'{"result": null}',
    b'{"result": {"Domains": 1}}',
    b'{"error": {}}',
    b'{"error": {"code": 500, "message": "no"}}',
    b" " * (MAX_ANSWER_BYTES + 1),
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_told_and_survived(edge: FakeKamailio, registrar: EdgeRegistrar, body: bytes) -> None:
    edge.register("1001", "sip:1001@192.0.2.7")
    await registrar.start()
    await until(registrar.users)
    edge.body = body
    await until(lambda: registrar.reason)
    assert registrar.users() == {"1001"}
    edge.body = None
    await until(lambda: not registrar.reason)


async def failure(rpc: EdgeRpc, method: str = "core.version") -> PeerError:
    try:
        with pytest.raises(PeerError) as caught:
            await rpc.call(method)
        return caught.value
    finally:
        await rpc.close()


async def test_how_it_fails(edge: FakeKamailio) -> None:
    refused = await failure(EdgeRpc(edge.url, "another"))
    assert isinstance(refused, PeerRefused) and refused.status == 401
    unknown = await failure(EdgeRpc(edge.url, edge.token), "no.method")
    assert isinstance(unknown, PeerRefused) and unknown.status == 500
    edge.hang = True
    assert isinstance(await failure(EdgeRpc(edge.url, edge.token, timeout=0.1)), PeerTimeout)
    url = edge.url
    await edge.stop()
    assert isinstance(await failure(EdgeRpc(url, edge.token)), PeerUnreachable)
    await edge.start()
