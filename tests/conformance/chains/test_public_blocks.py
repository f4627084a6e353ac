"""The public test chains' blocks of the later forks import to the head they name; Prague's transition gives go-ethereum's roots."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.exceptions import VMError
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_account import Account
from eth_utils import keccak, to_canonical_address
from eth_utils.exceptions import ValidationError

from node.chain.trie.accounts import BatchedAccounts
from node.chain.trie.ordered import ordered_root
from tests.conformance.chains.own_chains import FORKS
from tests.conformance.chains.parts import chain_class, import_block
from tests.conformance.chains.public_blocks import BLOCKS, PRAGUE, PublicBlock
from tests.node.state_tests.variants import as_sealed

pytestmark = pytest.mark.filterwarnings("ignore")
BY_FORK = {public.fork: public for public in BLOCKS}


def _genesis(public: PublicBlock) -> Any:
    database = AtomicDB()
    accounts = BatchedAccounts(database)
    for address, account in public.accounts.items():
        accounts.set_balance(address, account["balance"])
        accounts.set_nonce(address, account["nonce"])
        accounts.set_code(address, account["code"])
    accounts.persist()
    chain = chain_class(((0, FORKS[public.fork]),), as_sealed)
    header = rlp.decode(rlp.encode([public.genesis, *public.block[1:]]), FORKS[public.fork].get_block_class()).header
    assert header.state_root == accounts.state_root
    assert header.hash.hex() == public.genesis_hash
    return chain.from_genesis_header(database, header)


@pytest.mark.parametrize("fork", BY_FORK)
def test_a_forks_public_block_imports_to_its_head(fork: str) -> None:
    public = BY_FORK[fork]
    assert keccak(rlp.encode(public.block[0])).hex() == public.head
    chain = _genesis(public)
    import_block(chain, rlp.encode(public.block))
    assert chain.get_canonical_head().hash.hex() == public.head


@pytest.mark.parametrize("fork", BY_FORK)
def test_it_does_not_import_with_another_state_root(fork: str) -> None:
    public = BY_FORK[fork]
    header = list(public.block[0])
    header[3] = bytes(31) + b"\x01"
    with pytest.raises((ValidationError, VMError)):
        import_block(_genesis(public), rlp.encode([header, *public.block[1:]]))


def test_pragues_delegations_give_the_roots_go_ethereum_gives() -> None:
    """Code set for two accounts (EIP-7702), of which one calls the other."""
    context = ExecutionContext(
        coinbase=to_canonical_address(PRAGUE.beneficiary),
        timestamp=1_000,
        block_number=1,
        difficulty=0,
        mix_hash=bytes(32),
        gas_limit=PRAGUE.gas_limit,
        prev_hashes=(),
        chain_id=1,
        base_fee_per_gas=7,
        excess_blob_gas=0,
    )
    state = as_sealed(FORKS["prague"]._state_class)(AtomicDB(), context, BLANK_ROOT_HASH)
    for address, account in PRAGUE.accounts.items():
        state.set_balance(address, account["balance"])
        state.set_code(address, account["code"])
        for slot, value in account["storage"].items():
            state.set_storage(address, slot, value)
    state.persist()
    raw = bytes(Account.sign_transaction(PRAGUE.transaction, PRAGUE.published_key).raw_transaction)
    computation = state.apply_transaction(PragueTransactionBuilder.decode(raw))
    state.persist()
    burned = PRAGUE.transaction["gas"] - computation.get_gas_remaining()
    gas_used = burned - min(computation.get_gas_refund(), burned // 5)
    receipt = b"\x04" + rlp.encode([1, gas_used, bytes(256), []])
    assert gas_used == PRAGUE.gas_used
    assert ordered_root([raw]).hex() == PRAGUE.transaction_root
    assert ordered_root([receipt]).hex() == PRAGUE.receipt_root
    assert state.state_root.hex() == PRAGUE.state_root
