"""A hand-assembled contract with one cell: 32 bytes are stored and logged, 4 bytes come back as a revert, none reads it."""

RUNTIME = bytes.fromhex(
    "3615601d57"  # no calldata → read
    "366004146029 57"  # 4 bytes → revert
    "600035806000558060005260206000a100"  # store word 0 in slot 0, LOG1 it with itself as topic
    "5b60005460005260206000f3"  # read: return slot 0
    "5b60046000600037 60046000fd"  # revert with the 4 bytes
)
CREATION = bytes.fromhex(f"60{len(RUNTIME):02x}80600b6000396000f3") + RUNTIME


def word(value: int) -> str:
    return "0x" + value.to_bytes(32, "big").hex()
