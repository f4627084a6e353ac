"""`evm_` methods, as anvil has them. Only a sandbox chain carries them; any other answers that they do not exist."""

from node.rpc.dispatch import Handler
from node.rpc.errors import InvalidParams
from node.rpc.hex import quantity, to_quantity
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    producer = node.producer

    def set_next_block_timestamp(timestamp: object) -> None:
        producer.set_next_timestamp(_seconds(timestamp, "timestamp"))

    def increase_time(seconds: object) -> int:
        return producer.increase_time(_seconds(seconds, "seconds"))

    def mine(options: object = None) -> str:
        blocks, timestamp = 1, None
        if isinstance(options, dict):
            blocks = 1 if options.get("blocks") is None else _seconds(options["blocks"], "blocks")
            timestamp = None if options.get("timestamp") is None else _seconds(options["timestamp"], "timestamp")
        elif options is not None:
            timestamp = _seconds(options, "timestamp")
        producer.mine(blocks, timestamp)
        return to_quantity(0)

    def set_automine(on: object) -> bool:
        if not isinstance(on, bool):
            raise InvalidParams("want true or false")
        producer.set_pace(None if on else 0)
        return True

    def set_interval_mining(seconds: object) -> None:
        producer.set_pace(_seconds(seconds, "seconds"))

    return {
        "evm_setAutomine": set_automine,
        "evm_setIntervalMining": set_interval_mining,
        "evm_setNextBlockTimestamp": set_next_block_timestamp,
        "evm_increaseTime": increase_time,
        "evm_mine": mine,
    }


def _seconds(value: object, name: str) -> int:
    """anvil's callers send these as JSON numbers and as quantities; both are taken."""
    if isinstance(value, bool) or not isinstance(value, int):
        return quantity(value, name, bits=48)
    if not 0 <= value < 1 << 48:
        raise InvalidParams(f"invalid {name}: want a whole number of seconds from 0")
    return value
