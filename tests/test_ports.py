import socket

import pytest

from tests import ports


def test_a_kept_port_is_nobody_elses_and_a_server_may_come_and_go_on_it() -> None:
    place = ("127.0.0.1", ports.keep())
    for _ in range(2):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(place)
        with socket.create_server(place), socket.create_connection(place):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)
