"""Value that moves, shown as logs beside the real ones: as if ether were a token at 0xeeee… (ERC-7528)."""

from collections.abc import Iterator

from node.chain.receipts import Log
from node.chain.tracing.call_frames import Frame

ETHER = b"\xee" * 20
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")  # keccak of Transfer(address,address,uint256)


def logs_with_transfers(frame: Frame) -> Iterator[Log]:
    """In the order in which they happened. A frame that failed moved nothing and logged nothing."""
    if frame.failure is not None:
        return
    if frame.value and frame.kind != "DELEGATECALL" and frame.to is not None:
        yield Log(ETHER, (TRANSFER, frame.sender.rjust(32, b"\0"), frame.to.rjust(32, b"\0")), frame.value.to_bytes(32, "big"))
    logs = list(frame.logs)
    for position, inner in enumerate(frame.calls):
        while logs and logs[0][1] <= position:
            yield logs.pop(0)[0]
        yield from logs_with_transfers(inner)
    yield from (log for log, _ in logs)
