"""Two contracts in EVM assembly that write, clear, revert, create and self-destruct as their calldata says."""

from eth_utils import keccak

THEN_STOP, THEN_REVERT, THEN_DESTRUCT = b"", b"\x01", b"\x02\x02"  # the end of a writer's calldata: its length decides


def _assemble(*parts: str) -> bytes:
    """`name:` is a JUMPDEST, `@name` pushes where it is, the rest is hex."""
    labels, length = dict[str, int](), 0
    for part in parts:
        labels[part.rstrip(":")] = length
        length += 1 if part.endswith(":") else 2 if part.startswith("@") else len(part) // 2
    return b"".join(_encode(part, labels) for part in parts)


def _encode(part: str, labels: dict[str, int]) -> bytes:
    if part.endswith(":"):
        return b"\x5b"
    return bytes((0x60, labels[part[1:]])) if part.startswith("@") else bytes.fromhex(part)


def _creation(runtime: bytes) -> bytes:
    return bytes.fromhex(f"60{len(runtime):02x}80600b6000396000f3") + runtime


# For each 64 bytes of calldata: SSTORE(first word, second word).
WRITER = _creation(
    _assemble(
        *("6000", "loop:", "80604001", "3610", "@end", "57"),  # until calldata has no whole pair left
        *("8060200135", "8135", "55", "604001", "@loop", "56"),
        *("end:", "36603f16", "80600114", "@revert", "57", "600214", "@destruct", "57", "00"),
        *("revert:", "60006000fd", "destruct:", "33ff"),
    )
)
# CREATE2 of a writer with the first word of calldata as salt, then a call of it with the rest.
_FACTORY_CODE = _assemble(
    *(f"60{len(WRITER):02x}", "6028", "6000", "39"),  # the writer's creation code stands behind these 40 bytes
    *("600035", f"60{len(WRITER):02x}", "6000", "6000", "f5"),
    *("60203603", "80", "6020", "6000", "37"),
    *("6000", "6000", "82", "6000", "6000", "86", "5a", "f1", "00"),
)
assert len(_FACTORY_CODE) == 0x28
FACTORY = _creation(_FACTORY_CODE + WRITER)


def writes(pairs: list[tuple[int, int]], end: bytes) -> bytes:
    """Calldata of a writer: slots and values, then how it ends."""
    return b"".join(number.to_bytes(32, "big") for pair in pairs for number in pair) + end


def child_address(factory: bytes, salt: int) -> bytes:
    return keccak(b"\xff" + factory + salt.to_bytes(32, "big") + keccak(WRITER))[12:]
