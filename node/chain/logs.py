"""Log filters: addresses and topics, tested against a block's bloom first and each log then."""

from collections.abc import Callable
from dataclasses import dataclass

from node.chain.receipts import Log, bloom_bits


@dataclass(frozen=True)
class LogFilter:
    """Empty `addresses` means any; a topic position is a set of alternatives, empty meaning any."""

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    @property
    def size(self) -> int:
        """Of addresses and topics."""
        return len(self.addresses) + sum(map(len, self.topics))

    def bloom_test(self) -> Callable[[bytes], bool]:
        """Whether a block of this bloom may hold such logs. For a whole query: each item is hashed once, here."""
        groups = [[bloom_bits(item) for item in group] for group in (self.addresses, *self.topics) if group]

        def may_match(bloom: bytes) -> bool:
            held = int.from_bytes(bloom, "big")
            return all(any(held & bits == bits for bits in group) for group in groups)

        return may_match

    def matches(self, log: Log) -> bool:
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(not wanted or topic in wanted for wanted, topic in zip(self.topics, log.topics, strict=False))
