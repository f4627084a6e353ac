"""Batches of the points ledger as the node executes them: raw transactions on any state class, from the same state."""

from dataclasses import dataclass
from typing import Any

from eth.vm.execution_context import ExecutionContext
from eth.vm.state import BaseState
from eth_utils import keccak

from gateway.domain.ledger.batches import batch_root
from gateway.domain.ledger.entries import Issue, encode_entry, pack_entries
from gateway.domain.ledger.lots import expiry_day_for
from node.chain.state import StateOverlay
from tests.builders.ledger_chain import CHAIN_ID
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named

BRAND = 1


@dataclass(frozen=True)
class Result:
    state_root: bytes
    succeeded: bool
    gas_left: int
    gas_refund: int
    output: bytes
    logs: tuple[Any, ...]


class LedgerBlocks:
    """A points ledger with `members` members who already hold a lot."""

    def __init__(self, members: int, per_batch: int = 200) -> None:
        self.ledger = PointsLedger((BRAND,))
        self.day = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 12)
        self.members = [member_named(f"member {index}") for index in range(members)]
        for start in range(0, members, per_batch):
            assert self.ledger.submit(BRAND, self.issues(self.members[start : start + per_batch])) == []

    def issues(self, members: list[bytes], points: int = 1_000) -> list[Issue]:
        return [Issue(member, self.day, points, 1, keccak(b"order" + member)) for member in members]

    def raw_batch(self, entries: list[Any]) -> bytes:
        """A signed transaction with a batch of the next number."""
        number = self.ledger.next_number()
        packed = [encode_entry(entry) for entry in entries]
        arguments = self.ledger.signed(BRAND, number, pack_entries(packed), batch_root(BRAND, number, packed))
        data = self.ledger.abi.call("submitBatch", *arguments)
        return self.ledger.chain.sign(self.ledger.address, data, sender=self.ledger.chain.operator)

    def state(self, state_class: type[BaseState]) -> BaseState:
        """A fresh state on the ledger's newest block, for a child of it."""
        chain = self.ledger.chain
        header = chain._chain.get_canonical_head()
        context = ExecutionContext(
            coinbase=header.coinbase,
            timestamp=chain.next_timestamp,
            block_number=header.block_number + 1,
            difficulty=0,
            mix_hash=header.mix_hash,
            gas_limit=header.gas_limit,
            prev_hashes=(),
            chain_id=CHAIN_ID,
            base_fee_per_gas=header.base_fee_per_gas,
            excess_blob_gas=0,
        )
        return state_class(StateOverlay(chain._chain.chaindb.db.get), context, header.state_root)
