"""Where the gateway connects to for a brand: what the operator allows, this machine where it is named, a cloud's metadata never."""

from __future__ import annotations

import ipaddress

import pytest

from gateway.foreign.addresses import AddressPolicy

PUBLIC = AddressPolicy()
NAMED = AddressPolicy((ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("2001:db8::/48"), ipaddress.ip_network("0.0.0.0/1")))
SANDBOX = AddressPolicy(loopback=True)
OWN = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))
OWN_V4 = AddressPolicy((ipaddress.ip_network("127.0.0.1/32"),))
ANY = AddressPolicy((ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")), loopback=True)


def allows(policy: AddressPolicy, text: str) -> bool:
    return policy.refusal(ipaddress.ip_address(text)) is None


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_public_addresses_are_allowed_where_no_network_is_named(text: str) -> None:
    assert allows(PUBLIC, text)
    assert allows(SANDBOX, text)


@pytest.mark.parametrize("text", ["10.20.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"])
def test_private_ones_are_to_be_named(text: str) -> None:
    assert not allows(PUBLIC, text)
    assert not allows(SANDBOX, text)


@pytest.mark.parametrize(
    "text",
    [
        *("64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00:808:808"),  # NAT64 of a network's own: what it leads to is that network's secret
        *("::ffff:0:127.0.0.1", "::127.0.0.1", "::a9fe:a9fe", "::ffff:0:10.0.0.1", "::10.0.0.1"),
        *("fec0::1", "100::1", "1fff::1", "4000::1", "5f00::1", "e000::1", "2001:db8::1"),
        *("2002:a00:1::", "2001:0:808:808::f5ff:fffe", "2001:0:808:808::f7f7:f7f7"),  # 6to4; Teredo, even to a public client
    ],
)
def test_an_ipv6_address_is_public_only_where_such_are_given_out(text: str) -> None:
    assert not allows(PUBLIC, text)


def test_networks_that_are_named_are_the_only_ones() -> None:
    assert [allows(NAMED, text) for text in ("10.20.255.1", "2001:db8::7", "::ffff:10.20.0.1")] == [True] * 3
    assert [allows(NAMED, text) for text in ("200.1.1.1", "2606:4700::1111", "2001:db9::7")] == [False] * 3


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"])
def test_this_machine_is_allowed_in_a_sandbox_or_by_its_own_name(text: str) -> None:
    assert not allows(PUBLIC, text)
    assert not allows(NAMED, text), "a wider network does not open it"
    assert allows(SANDBOX, text)
    assert allows(OWN, text)
    assert not allows(OWN_V4, text) or text in ("127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1")


def test_a_signer_on_this_machine_takes_nothing_from_those_elsewhere() -> None:
    assert allows(OWN, "8.8.8.8")
    assert not allows(OWN, "10.20.0.1")


@pytest.mark.parametrize(
    "text",
    [
        *("169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "0.0.0.0", "::", "224.0.0.1", "ff02::1"),
        *(
            "::a9fe:a9fe",
            "::ffff:0:a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "2001:0:808:808::5601:5601",
            "2001:0:808:808::57c0:7eef",
        ),
        *("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    ],
)
def test_some_are_allowed_never(text: str) -> None:
    assert not any(allows(policy, text) for policy in (PUBLIC, NAMED, SANDBOX, ANY))
