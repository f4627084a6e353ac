"""Log filters: addresses and topics, tested against a block's bloom first and each log then."""

from dataclasses import dataclass

from node.chain.receipts import Log, bloom_may_hold


@dataclass(frozen=True)
class LogFilter:
    """Empty `addresses` means any; a topic position is a set of alternatives, empty meaning any."""

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    def may_match_bloom(self, bloom: bytes) -> bool:
        groups = [self.addresses, *self.topics]
        return all(not group or any(bloom_may_hold(bloom, item) for item in group) for group in groups)

    def matches(self, log: Log) -> bool:
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(not wanted or topic in wanted for wanted, topic in zip(self.topics, log.topics, strict=False))
