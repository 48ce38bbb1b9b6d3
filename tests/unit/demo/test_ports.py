"""A taken port is named with the process that holds it."""

import os
import socket

import pytest

from deploy.demo.ports import Port, PortsTaken, require_free


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_names_the_holder_of_a_taken_port(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        if kind == "tcp":
            held.listen()
        wanted = Port("127.0.0.1", kind, held.getsockname()[1], "SIP")
        with pytest.raises(PortsTaken) as caught:
            require_free([wanted])
    [taken] = caught.value.taken
    assert taken.port == wanted
    assert taken.holder.endswith(f"(pid {os.getpid()})")
    assert str(taken).startswith(f"{kind} port {wanted.number} (SIP) is taken by ")


def test_a_free_port_is_no_trouble() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    require_free([Port("127.0.0.1", "tcp", number, "page")])


def test_every_taken_port_is_named_at_once() -> None:
    with socket.socket() as first, socket.socket() as second:
        wanted = []
        for held in (first, second):
            held.bind(("127.0.0.1", 0))
            held.listen()
            wanted.append(Port("127.0.0.1", "tcp", held.getsockname()[1], "page"))
        with pytest.raises(PortsTaken) as caught:
            require_free(wanted)
    assert [taken.port for taken in caught.value.taken] == wanted
