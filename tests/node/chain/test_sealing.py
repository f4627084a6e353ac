"""Detached seals."""

from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from node.chain.sealing import seal, seal_holds

KEY = PrivateKey(b"\x05" * 32)
SEALER = KEY.public_key.to_canonical_address()
GENESIS, BLOCK = keccak(b"genesis"), keccak(b"block")


def test_a_seal_holds_for_its_sealer_chain_and_block() -> None:
    assert seal_holds(seal(KEY, GENESIS, BLOCK), SEALER, GENESIS, BLOCK)


def test_a_seal_is_65_bytes_over_the_stated_digest() -> None:
    signature = seal(KEY, GENESIS, BLOCK)
    digest = keccak(b"Splittally block seal" + GENESIS + BLOCK)
    assert len(signature) == 65
    assert Account._recover_hash(digest, signature=signature) == KEY.public_key.to_checksum_address()


def test_a_seal_does_not_hold_for_anything_else() -> None:
    signature = seal(KEY, GENESIS, BLOCK)
    other = PrivateKey(b"\x06" * 32)
    assert not seal_holds(signature, other.public_key.to_canonical_address(), GENESIS, BLOCK)
    assert not seal_holds(signature, SEALER, keccak(b"other genesis"), BLOCK)
    assert not seal_holds(signature, SEALER, GENESIS, keccak(b"other block"))
    assert not seal_holds(signature[:-1], SEALER, GENESIS, BLOCK)
    assert not seal_holds(bytes(65), SEALER, GENESIS, BLOCK)
    assert not seal_holds(signature[:64] + b"\x09", SEALER, GENESIS, BLOCK)
