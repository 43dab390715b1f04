"""Loopback ports."""

import socket

from smsplatform.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"


def check_free(port: int) -> None:
    """Raise EmbeddedError, with what to do, when the web server could not listen on `port`."""
    if not 1 <= port <= 65535:
        raise EmbeddedError(f"{port} is no port. Choose one from 1024 to 65535: make run PORT=8001")
    with socket.socket() as probe:
        # A connection of an earlier run that is still closing does not count as a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise EmbeddedError(
                f"Port {port} needs an administrator. Choose one above 1023: make run PORT=8001"
            ) from error
        except OSError as error:
            another = port + 1 if port < 65535 else 8001
            raise EmbeddedError(
                f"Port {port} is in use by another program. Choose another: make run PORT={another}"
            ) from error


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
