"""P256VERIFY against signatures made with an independent library."""

import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from node.chain.p256 import FIELD, ORDER, signature_holds


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _signed(digest: bytes) -> tuple[int, int, int, int]:
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    public = key.public_key().public_numbers()
    return r, s, public.x, public.y


def _input(digest: bytes, *numbers: int) -> bytes:
    return digest + b"".join(_word(number) for number in numbers)


@pytest.mark.parametrize("round_number", range(5))
def test_a_good_signature_holds_in_both_its_forms(round_number: int) -> None:
    digest = hashlib.sha256(bytes([round_number])).digest()
    r, s, x, y = _signed(digest)
    assert signature_holds(_input(digest, r, s, x, y))
    assert signature_holds(_input(digest, r, ORDER - s, x, y))  # EIP-7951 does not ask for a low s


def test_any_flipped_bit_breaks_it() -> None:
    digest = hashlib.sha256(b"message").digest()
    good = _input(digest, *_signed(digest))
    for position in range(0, 160, 7):
        bad = bytearray(good)
        bad[position] ^= 1 << secrets.randbelow(8)
        assert not signature_holds(bytes(bad))


def test_numbers_out_of_range_never_hold() -> None:
    digest = hashlib.sha256(b"message").digest()
    r, s, x, y = _signed(digest)
    on_range = [(0, s, x, y), (r, 0, x, y), (ORDER, s, x, y), (r, ORDER, x, y), (r, s, FIELD, y), (r, s, x, FIELD)]
    on_curve = [(r, s, 0, 0), (r, s, x, (y + 1) % FIELD)]
    for numbers in on_range + on_curve:
        assert not signature_holds(_input(digest, *numbers))


def test_any_other_length_never_holds() -> None:
    digest = hashlib.sha256(b"message").digest()
    good = _input(digest, *_signed(digest))
    assert not signature_holds(b"")
    assert not signature_holds(good[:-1])
    assert not signature_holds(good + b"\0")
