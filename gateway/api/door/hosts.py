"""Which hosts a request may be meant for: a page in a browser that has this machine's address under a name of its own is let in nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.values.errors import WrongHost

# host [":" port] as in RFC 9110, 7.2 and RFC 3986, 3.2.2; an address of a later version than IPv6 is none of ours.
_HOST = re.compile(rb"(?:\[(?P<ipv6>[0-9a-f.]*:[0-9a-f:.]*)\]|(?P<name>[a-z0-9._~!$&'()*+,;=%-]+))(?::[0-9]*)?")


def host_of(value: bytes) -> str | None:
    """The name without its port, in lower case; of an IPv6 address without its brackets. None for what is no host."""
    found = _HOST.fullmatch(value.strip(b" \t").lower())
    return None if found is None else (found["ipv6"] or found["name"]).decode()


def check_host(headers: Iterable[tuple[bytes, bytes]], allowed: frozenset[str]) -> None:
    """Raises WrongHost unless the one Host header names an allowed host."""
    named = [value for name, value in headers if name == b"host"]
    if len(named) != 1 or host_of(named[0]) not in allowed:
        raise WrongHost("the Host header names no host of this gateway: the setting allowed_hosts lists them")
