"""Which hosts a request may be meant for: a page in a browser that has this machine's address under a name of its own is let in nowhere."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.values.errors import WrongHost


def host_of(value: bytes) -> str:
    """The name without its port, in lower case; of an IPv6 address without its brackets."""
    text = value.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def check_host(headers: Iterable[tuple[bytes, bytes]], allowed: frozenset[str]) -> None:
    """Raises WrongHost unless the one Host header names an allowed host."""
    named = [value for name, value in headers if name == b"host"]
    if len(named) != 1 or host_of(named[0]) not in allowed:
        raise WrongHost("the Host header names no host of this gateway: the setting allowed_hosts lists them")
