"""The genesis configuration: canonical, checked, and the source of the coalition id."""

import dataclasses
import json

import pytest
from eth_hash.auto import keccak
from eth_typing import Address

from node.chain.errors import BadGenesis
from node.chain.genesis import GenesisConfig, canonical_json, check_config, genesis_block, parse_config

CONFIG = GenesisConfig(
    chain_id=7,
    sandbox=True,
    sealer=Address(b"\x01" * 20),
    allocations=((Address(b"\x01" * 20), 1), (Address(b"\x02" * 20), 10**27)),
    timestamp=1_700_000_000,
    random=b"\x07" * 32,
)


def test_the_coalition_id_is_the_keccak_of_the_canonical_json_and_the_genesis_extra_data() -> None:
    header, _ = genesis_block(CONFIG)
    assert header.extra_data == keccak(canonical_json(CONFIG)) == CONFIG.coalition_id


def test_the_canonical_json_reads_back() -> None:
    assert parse_config(canonical_json(CONFIG)) == CONFIG


def test_the_same_configuration_always_gives_the_same_block() -> None:
    assert genesis_block(CONFIG)[0].hash == genesis_block(parse_config(canonical_json(CONFIG)))[0].hash


def test_another_random_value_is_another_coalition() -> None:
    other = dataclasses.replace(CONFIG, random=b"\x08" * 32)
    assert other.coalition_id != CONFIG.coalition_id
    assert genesis_block(other)[0].hash != genesis_block(CONFIG)[0].hash


@pytest.mark.parametrize(
    "change",
    [
        {"rules": "prague"},
        {"chain_id": 0},
        {"gas_limit": 2**26 - 1},
        {"timestamp": -1},
        {"random": b""},
        {"sealer": b"\x01" * 19},
        {"allocations": ((b"\x01" * 20, 0),)},
        {"sandbox": 1},
    ],
)
def test_a_configuration_that_breaks_a_rule_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadGenesis):
        check_config(dataclasses.replace(CONFIG, **change))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps(json.loads(canonical_json(CONFIG))).encode(),  # spaces
        canonical_json(CONFIG).replace(b'"chainId":7', b'"chainId":7.0'),
        canonical_json(CONFIG).replace(b'"chainId":7', b'"chainId":7,"extra":1'),
    ],
)
def test_anything_but_the_canonical_form_is_refused(text: bytes) -> None:
    with pytest.raises(BadGenesis):
        parse_config(text)
