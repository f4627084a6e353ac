"""Every public chain imports to the head it names, through the node's tries and compiler; blocks it calls bad are refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from eth.db.atomic import AtomicDB
from eth.exceptions import HeaderNotFound, VMError
from eth.rlp.headers import BlockHeader
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from node.chain import rlp
from node.chain.rlp import RlpError
from node.chain.trie.accounts import BatchedAccounts
from tests.conformance.chains.parts import chain_class, import_block
from tests.conformance.chains.public_chains import FOLDER, PublicChain, chains_of, files, need_public_chains
from tests.depth import in_a_soak
from tests.node.state_tests.variants import as_sealed

pytestmark = [pytest.mark.nodejs, pytest.mark.filterwarnings("ignore")]
REFUSALS = (HeaderNotFound, ValidationError, RlpError, VMError, ValueError, KeyError, TypeError, IndexError, AssertionError)
PRESENT = files() if FOLDER.exists() else []
SAMPLE = Random(0).sample(PRESENT, len(PRESENT) // 5)
SHORT = [file for file in PRESENT if file.startswith("TestNetwork/") or "ValidBlock" in file or "StateTest" in file]


def _import(public: PublicChain) -> None:
    chain = _genesis(public)
    for raw, good in public.blocks:
        if good:
            assert raw is not None
            import_block(chain, raw)
        elif raw is not None:
            with pytest.raises(REFUSALS):
                import_block(chain, raw)
    assert chain.get_canonical_head().hash.hex() == public.head.removeprefix("0x"), public.name


def _genesis(public: PublicChain) -> Any:
    """On the very header the chain names, whose state root the accounts must give."""
    database = AtomicDB()
    accounts = BatchedAccounts(database)
    for text, account in public.accounts.items():
        address = Address(_bytes(text))
        accounts.set_balance(address, _number(account["balance"]))
        accounts.set_nonce(address, _number(account["nonce"]))
        accounts.set_code(address, _bytes(account["code"]))
        for slot, value in account["storage"].items():
            accounts.set_storage(address, _number(slot), _number(value))
    accounts.persist()
    header = _header(public.genesis)
    assert header.state_root == accounts.state_root
    assert header.hash.hex() == public.genesis["hash"].removeprefix("0x")
    return chain_class(public.forks, as_sealed).from_genesis_header(database, header)


def _header(fields: dict[str, str]) -> BlockHeader:
    return BlockHeader(
        parent_hash=_bytes(fields["parentHash"]),
        uncles_hash=_bytes(fields["uncleHash"]),
        coinbase=_bytes(fields["coinbase"]),
        state_root=_bytes(fields["stateRoot"]),
        transaction_root=_bytes(fields["transactionsTrie"]),
        receipt_root=_bytes(fields["receiptTrie"]),
        bloom=_number(fields["bloom"]),
        difficulty=_number(fields["difficulty"]),
        block_number=_number(fields["number"]),
        gas_limit=_number(fields["gasLimit"]),
        gas_used=_number(fields["gasUsed"]),
        timestamp=_number(fields["timestamp"]),
        extra_data=_bytes(fields["extraData"]),
        mix_hash=_bytes(fields["mixHash"]),
        nonce=_bytes(fields["nonce"]),
    )


def _number(text: str) -> int:
    return int(text.removeprefix("0x") or "0", 16)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("file", SHORT or [""])
def test_transitions_and_valid_chains_import_to_their_heads(file: str) -> None:
    need_public_chains()
    for public in chains_of(file):
        _import(public)


@pytest.mark.deep
@pytest.mark.parametrize("file", in_a_soak(PRESENT, SAMPLE) or [""])
def test_a_public_chain_imports_to_its_head(file: str) -> None:
    need_public_chains()
    for public in chains_of(file):
        _import(public)


def test_an_altered_block_of_a_public_chain_does_not_import() -> None:
    need_public_chains()
    public = next(chains_of("TestNetwork/bcEIP150Test.json"))
    chain = _genesis(public)
    raw = public.blocks[0][0]
    assert raw is not None
    root_at = raw.index(_root_of(public))
    with pytest.raises(REFUSALS):
        import_block(chain, raw[:root_at] + b"\x01" * 32 + raw[root_at + 32 :])
    import_block(chain, raw)


def _root_of(public: PublicChain) -> bytes:
    raw = public.blocks[0][0]
    assert raw is not None
    return bytes(rlp.decode(raw)[0][3])
