"""Every mainnet fork's chain, made by stock py-evm, imports to the same head through the node's tries and compiler."""

from __future__ import annotations

from typing import Any

import pytest
from eth.db.atomic import AtomicDB
from eth_utils.exceptions import ValidationError

from tests.conformance.chains.own_chains import CHAIN_ID, FORKS, SINCE, OwnChain, own_chain
from tests.conformance.chains.parts import chain_class, import_block
from tests.node.state_tests.variants import as_sealed

pytestmark = pytest.mark.filterwarnings("ignore")


def _on_our_parts(own: OwnChain) -> Any:
    genesis = own.genesis
    fields = {"difficulty": genesis.difficulty, "gas_limit": genesis.gas_limit, "timestamp": genesis.timestamp}
    if SINCE[own.fork] >= SINCE["london"]:
        fields["base_fee_per_gas"] = genesis.base_fee_per_gas
    chain = chain_class(((0, FORKS[own.fork]),), as_sealed, CHAIN_ID).from_genesis(AtomicDB(), fields, own.accounts)
    assert chain.get_canonical_head() == genesis
    return chain


@pytest.mark.parametrize("fork", FORKS)
def test_a_forks_chain_imports_to_the_same_head(fork: str) -> None:
    own = own_chain(fork)
    chain = _on_our_parts(own)
    for raw in own.blocks:
        import_block(chain, raw)
    assert chain.get_canonical_head().hash == own.head
    assert len(own.blocks) == 8
    assert own.failed >= 3, "reverts and lack of gas are among its transactions"


def test_all_kinds_of_transactions_are_in_them() -> None:
    assert own_chain("prague").types == {0, 1, 2, 4}
    assert own_chain("london").types == {0, 1, 2}
    assert own_chain("frontier").types == {0}


def test_a_block_of_other_rules_does_not_import() -> None:
    """Both grow from one genesis; what SSTORE and a first access cost is another."""
    with pytest.raises((ValidationError, ValueError, TypeError)):
        import_block(_on_our_parts(own_chain("berlin")), own_chain("byzantium").blocks[0])
