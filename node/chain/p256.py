"""P256VERIFY, the secp256r1 precompile of EIP-7951 at address 0x100, backed by OpenSSL."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.abc import ComputationAPI

P256VERIFY_ADDRESS = (0x100).to_bytes(20, "big")
P256VERIFY_GAS = 6_900
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF

_TRUE = (1).to_bytes(32, "big")
_PREHASHED = ec.ECDSA(Prehashed(SHA256()))


def p256verify(computation: ComputationAPI) -> ComputationAPI:
    computation.consume_gas(P256VERIFY_GAS, reason="P256VERIFY precompile")
    computation.output = _TRUE if signature_holds(computation.msg.data_as_bytes) else b""
    return computation


def signature_holds(data: bytes) -> bool:
    """`data` is hash ‖ r ‖ s ‖ x ‖ y, 32 bytes each; any other length is a failed verification."""
    if len(data) != 160:
        return False
    message_hash = data[:32]
    r, s, x, y = (int.from_bytes(data[start : start + 32], "big") for start in range(32, 160, 32))
    if not (0 < r < ORDER and 0 < s < ORDER and x < FIELD and y < FIELD):
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), message_hash, _PREHASHED)
    except (ValueError, InvalidSignature):
        return False
    return True
