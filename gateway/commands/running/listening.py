"""Where the gateway listens: the address is taken before anything else is begun, so that one in use is said at once."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from gateway.values.errors import Foreseen


class AddressTaken(Foreseen):
    """Another program listens there, or this machine has no such address."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound to the address; port 0 takes a free one. Raises AddressTaken."""
    with ExitStack() as unless_bound:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = unless_bound.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError as error:
            raise AddressTaken(
                f"cannot listen on {host}, port {port} ({error.strerror}): end what uses it, or choose another --port (0: a free one)"
            ) from error
        unless_bound.pop_all()
    return listening


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
