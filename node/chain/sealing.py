"""Detached seals: the sealer's signature over a block's hash, kept beside the block rather than in it."""

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature

PREFIX = b"Splittally block seal"
SEAL_BYTES = 65


def seal_digest(genesis_hash: bytes, block_hash: bytes) -> bytes:
    return bytes(keccak(PREFIX + genesis_hash + block_hash))


def seal(key: PrivateKey, genesis_hash: bytes, block_hash: bytes) -> bytes:
    return bytes(key.sign_msg_hash(seal_digest(genesis_hash, block_hash)).to_bytes())


def seal_holds(signature: bytes, sealer: bytes, genesis_hash: bytes, block_hash: bytes) -> bool:
    if len(signature) != SEAL_BYTES:
        return False
    try:
        recovered = Signature(signature).recover_public_key_from_msg_hash(seal_digest(genesis_hash, block_hash))
    except (BadSignature, ValueError):
        return False
    return bool(recovered.to_canonical_address() == sealer)
