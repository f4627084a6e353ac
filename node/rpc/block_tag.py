"""Block parameters: a tag, a number, a block hash, or an object that names one of the two (EIP-1898)."""

from node.chain.errors import NotOnChain
from node.chain.history import History
from node.chain.rules import Header
from node.rpc.errors import InvalidParams
from node.rpc.hex import hash32, quantity

# One sealer, no forks: every sealed block is final. There is no half-built block to show as "pending".
HEAD_TAGS = ("latest", "pending", "safe", "finalized", "")
HASH_DIGITS = 66  # with its 0x; no number is as long


def block_number(history: History, tag: object) -> int:
    """The number a parameter names; it may lie above the head. None means latest."""
    if tag is None or tag in HEAD_TAGS:
        return int(history.head.block_number)
    if tag == "earliest":
        return 0
    if isinstance(tag, dict):
        if ("blockHash" in tag) == ("blockNumber" in tag):
            raise InvalidParams("a block object names either blockHash or blockNumber")
        if "blockHash" in tag:
            return history.number_of(hash32(tag["blockHash"], "blockHash"))
        return block_number(history, tag["blockNumber"])
    if isinstance(tag, str) and len(tag) == HASH_DIGITS:
        return history.number_of(hash32(tag, "block hash"))
    return quantity(tag, "block number", bits=63)


def existing_number(history: History, tag: object) -> int:
    """As `block_number`; raises NotOnChain above the head."""
    number = block_number(history, tag)
    if number > history.head.block_number:
        raise NotOnChain("header not found")
    return number


def header_at(history: History, tag: object) -> Header:
    number = existing_number(history, tag)
    head = history.head
    return head if number == head.block_number else history.header(number)
