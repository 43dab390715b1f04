import socket

import pytest

from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.ports import check_free, free_port


def test_a_taken_port_is_refused_with_the_next_one_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedError) as caught:
            check_free(port)
    assert str(caught.value) == (
        f"Port {port} is in use by another program. Choose another: make run PORT={port + 1}"
        if port < 65535
        else f"Port {port} is in use by another program. Choose another: make run PORT=8001"
    )


def test_a_port_that_shares_its_address_with_others_is_taken_too() -> None:
    """Our own web server listens with SO_REUSEPORT; a second one must still be refused."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EmbeddedError, match="in use by another program"):
            check_free(other.getsockname()[1])


def test_a_free_port_passes() -> None:
    check_free(free_port())


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(EmbeddedError, match="is no port"):
        check_free(port)
