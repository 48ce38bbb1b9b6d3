"""Which connection gives way when there are too many."""

import pytest

from frontend.http.connection_table import (
    Connection,
    ConnectionLimits,
    ConnectionsFull,
    ConnectionTable,
    Holder,
    HolderKind,
)

LIMITS = ConnectionLimits(total=10, strangers=6, per_network=4, per_user=2)


class Hall:
    """A table, and the names of the connections that were closed."""

    def __init__(self, limits: ConnectionLimits = LIMITS) -> None:
        self.closed: list[str] = []
        self.table = ConnectionTable(limits)

    def enter(self, name: str, network: str = "192.0.2.1", kind: HolderKind = HolderKind.STRANGER) -> Connection:
        connection = Connection(Holder(kind, network), lambda: self.closed.append(name))
        self.table.enter(connection)
        return connection

    def work(self, connection: Connection) -> Connection:
        self.table.wait(connection, False)
        return connection


def test_the_oldest_of_the_same_network_gives_way() -> None:
    hall = Hall()
    for name in "abcdef":
        hall.enter(name)
    assert hall.closed == ["a", "b"]
    assert hall.table.count(HolderKind.STRANGER) == 4


def test_one_that_is_served_never_gives_way() -> None:
    hall = Hall()
    served = [hall.work(hall.enter(name)) for name in "abcd"]
    with pytest.raises(ConnectionsFull) as full:
        hall.enter("e")
    assert full.value.limit == "per_network" and not hall.closed
    hall.table.wait(served[1], True)
    hall.enter("e")
    assert hall.closed == ["b"]


def test_whoever_has_most_gives_way_to_a_newcomer_from_elsewhere() -> None:
    hall = Hall()
    hall.enter("first", "192.0.2.2")
    for name in "abcd":
        hall.enter(name)
    hall.enter("second", "192.0.2.3")
    hall.enter("third", "192.0.2.4")
    hall.enter("fourth", "192.0.2.5")
    assert hall.closed == ["a", "b"]


def test_strangers_never_take_the_room_of_users() -> None:
    hall = Hall()
    for number in range(20):
        hall.enter(f"{number}", f"192.0.2.{number}")
    for user in ("ann", "bob", "cy", "dee"):
        hall.table.hold(hall.enter(user), Holder(HolderKind.USER, user))
    assert hall.table.count(HolderKind.USER) == 4
    assert hall.table.count(HolderKind.STRANGER) <= 6
    assert not {"ann", "bob", "cy", "dee"} & set(hall.closed)


def test_a_user_s_own_oldest_gives_way_and_no_one_else_s() -> None:
    hall = Hall()
    ann = Holder(HolderKind.USER, "ann")
    for name in "abc":
        hall.table.hold(hall.enter(name), ann)
    assert hall.closed == ["a"]
    for connection in list(hall.table._waiting._of[ann]):
        hall.work(connection)
    with pytest.raises(ConnectionsFull) as full:
        hall.table.hold(hall.enter("d"), ann)
    assert full.value.limit == "per_user"
    assert hall.table.count(HolderKind.STRANGER) == 1, "refused, it is still whose it was"


def test_a_full_house_of_users_refuses() -> None:
    hall = Hall(ConnectionLimits(total=2, strangers=1, per_network=1, per_user=2))
    hall.table.hold(hall.work(hall.enter("a")), Holder(HolderKind.USER, "ann"))
    hall.table.hold(hall.work(hall.enter("b")), Holder(HolderKind.USER, "bob"))
    with pytest.raises(ConnectionsFull) as full:
        hall.enter("c")
    assert full.value.limit == "total" and not hall.closed


def test_proxies_are_not_strangers_and_their_requests_are_their_clients() -> None:
    hall = Hall()
    proxied = [hall.work(hall.enter(f"{n}", "10.0.0.1", HolderKind.PROXY)) for n in range(8)]
    stranger = Holder(HolderKind.STRANGER, "192.0.2.1")
    for connection in proxied[:4]:
        hall.table.hold(connection, stranger)
    with pytest.raises(ConnectionsFull):
        hall.table.hold(proxied[4], stranger)
    hall.table.hold(proxied[0], proxied[0].first_holder)
    hall.table.hold(proxied[4], stranger)
    assert not hall.closed


def test_all_that_is_counted_is_given_back() -> None:
    hall = Hall()
    entered = [hall.enter(f"{n}", f"192.0.2.{n % 3}") for n in range(30)]
    hall.table.hold(entered[-1], Holder(HolderKind.USER, "ann"))
    for connection in entered:
        hall.table.wait(connection, False)
        hall.table.leave(connection)
        hall.table.leave(connection)
        hall.table.wait(connection, True)
    table = hall.table
    assert not table._counts and not table._waiting._of and not table._waiting._strangers and not table._waiting._most
    assert not table.displace_one()
