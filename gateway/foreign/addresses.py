"""Which addresses are connected to. A name may be anybody's and its owner may change where it leads: what counts is the address itself."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds tell a machine its own credentials. Most of them are link-local, these are not.
_METADATA = {ipaddress.ip_address(text) for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")}
_PUBLIC = ipaddress.IPv6Network("2000::/3")  # all that is given out; Python calls global whatever else it does not know
_TEREDO = ipaddress.IPv6Network("2001::/32")
# Their last 32 bits are an IPv4 address: compatible, mapped, translated, NAT64. In the first of them, :: and ::1 are none.
_EMBEDDING = tuple(ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
_OF_IPV6 = frozenset({ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")})


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """`networks`: these alone; none named: every public address. `loopback`: this machine too, as in a sandbox; otherwise it has to be
    named by a network of its own, such as 127.0.0.1/32: a wider one does not open it.
    """

    networks: tuple[IpNetwork, ...] = ()
    loopback: bool = False

    def refusal(self, found: IpAddress) -> str | None:
        """Why it is not connected to; None where it may be. An IPv4 address inside an IPv6 one is what is judged."""
        address = _innermost(found)
        if address.is_loopback:
            is_named = any(network.is_loopback and address in network for network in self.networks)
            own = f"{address} is this machine itself: outside a sandbox the setting signer_networks has to name {address}"
            return None if self.loopback or is_named else own
        if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
            return f"{address} is link-local, multicast, unspecified or a cloud's metadata service, which is never connected to"
        elsewhere = [network for network in self.networks if not network.is_loopback]
        if elsewhere:
            is_named = any(address in network for network in elsewhere)
            return None if is_named else f"{address} is in none of the networks of the setting signer_networks"
        is_public = address.is_global and (address.version == 4 or address in _PUBLIC) and found not in _TEREDO
        return None if is_public else f"{address} is no public address: name its network in the setting signer_networks"


def _innermost(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv4Address) or address in _OF_IPV6:
        return address
    if any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]  # the client's; the other is of the server that leads to it
    return address.sixtofour or address
