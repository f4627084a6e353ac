"""The settlement contract on an in-memory chain, over claims and owners that a test sets at will, beside the model in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_keys import keys
from eth_utils import keccak

from gateway.ledger.settlement import (
    Cycle,
    Paid,
    PairKey,
    SettledPair,
    SettlementModel,
    cycle_digest,
    cycle_over,
    paid_digest,
    pair_branch,
)
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash
from tests.builders.abi import Event, contract_abi
from tests.builders.governance_acts import STRANGER
from tests.builders.ledger_chain import CHAIN_ID, COALITION_ID, FOREVER, LedgerChain, Outcome, address_of
from tests.builders.points_ledger import owner_key, signature

PairCall = tuple[Any, ...]


def as_call(pairs: Sequence[SettledPair], index: int, /, **other: Any) -> PairCall:
    """The pair as the contract takes it, with its branch; any of its fields may be another."""
    pair = pairs[index]
    fields = {
        "index": index,
        "issuer": pair.issuer,
        "acceptor": pair.acceptor,
        "terms": pair.terms,
        "points": pair.points,
        "netted": pair.netted,
        "branch": pair_branch(pairs, index),
    }
    return tuple((fields | other).values())


class Settling:
    """Brands from 1 on, each with an owner's key named `owner <id>`; a stranger relays everything."""

    def __init__(self, brands: int = 4) -> None:
        self.chain = LedgerChain()
        self.abi, self.positions_abi = contract_abi("Settlement"), contract_abi("OwedPoints")
        owners = [address_of(owner_key(brand)) for brand in range(1, brands + 1)]
        self.positions = self.chain.deploy(self.positions_abi.creation(COALITION_ID, owners))
        self.address = self.chain.deploy(self.abi.creation(*[self.positions] * 3))
        self.domain = Domain(CHAIN_ID, Address(self.address), Hash(COALITION_ID))
        self.model = SettlementModel()
        self.cycles = 0
        self.told: list[Event] = []

    def owe(self, claims: Mapping[PairKey, int]) -> None:
        """More is owed; also less, where it is negative."""
        positions = [(issuer, acceptor, points) for (issuer, acceptor, _), points in claims.items()]
        assert self.chain.send(self.positions, self.positions_abi.call("owe", positions)).succeeded
        for (issuer, acceptor, terms), points in claims.items():
            self.model.owed[issuer, acceptor, terms] += points
            self.model.exposure[issuer, acceptor] += points

    def set_owner(self, brand: int, key: keys.PrivateKey) -> None:
        assert self.chain.send(self.positions, self.positions_abi.call("setBrandOwner", brand, address_of(key))).succeeded

    def cycle(self, pairs: Sequence[SettledPair], *, deadline: int = FOREVER) -> Cycle:
        """Cut off at the newest block."""
        self.cycles += 1
        return cycle_over(Hash(keccak(text=f"cycle {self.cycles}")), self.chain.block_number, pairs, deadline)

    def agreed(self, pairs: Sequence[SettledPair]) -> Cycle:
        cycle = self.cycle(pairs)
        outcome = self.agree(cycle)
        assert outcome.succeeded, self.reverted(outcome)
        self.model.agree(cycle, self.chain.block_number)
        return cycle

    def signatures(self, cycle: Cycle, by: Mapping[int, keys.PrivateKey] | None = None) -> list[bytes]:
        """Of each brand's owner, unless `by` names another key for a brand."""
        signers = [(by or {}).get(brand, owner_key(brand)) for brand in cycle.brands]
        return [signature(key, cycle_digest(self.domain, cycle)) for key in signers]

    def agree(self, cycle: Cycle, signatures: Sequence[bytes] | None = None) -> Outcome:
        return self.transact("agree", as_tuple(cycle), self.signatures(cycle) if signatures is None else list(signatures))

    def apply(self, cycle: Cycle, *pairs: PairCall) -> Outcome:
        return self.transact("applyPairs", as_tuple(cycle), list(pairs))

    def confirm(self, cycle: Cycle, *pairs: PairCall, paid: Paid, key: keys.PrivateKey | None = None) -> Outcome:
        """Signed by the owner of the creditor that `paid` names, unless by another."""
        signed = signature(key or owner_key(paid.creditor), paid_digest(self.domain, paid))
        return self.transact("confirmPaid", as_tuple(cycle), list(pairs), signed)

    def apply_all(self, cycle: Cycle, pairs: Sequence[SettledPair]) -> Outcome:
        outcome = self.apply(cycle, *(as_call(pairs, index) for index in range(len(pairs))))
        assert outcome.succeeded, self.reverted(outcome)
        for index, pair in enumerate(pairs):
            self.model.apply(cycle, index, pair, self.chain.block_number)
        return outcome

    def transact(self, function: str, *arguments: Any) -> Outcome:
        outcome = self.chain.send(self.address, self.abi.call(function, *arguments), sender=STRANGER)
        self.told += self.events(outcome)
        return outcome

    def settled(self, issuer: int, acceptor: int, terms: int = 1) -> int:
        return int(self._view("settled", issuer, acceptor, terms))

    def is_agreed(self, cycle: Cycle) -> bool:
        return bool(self._view("agreed", cycle.record))

    def exposure(self, issuer: int, acceptor: int) -> int:
        outcome = self.chain.call(self.positions, self.positions_abi.call("exposure", issuer, acceptor))
        return int(self.positions_abi.answer("exposure", outcome.output))

    def _view(self, function: str, *arguments: Any) -> Any:
        outcome = self.chain.call(self.address, self.abi.call(function, *arguments))
        assert outcome.succeeded
        return self.abi.answer(function, outcome.output)

    def events(self, outcome: Outcome) -> list[Event]:
        return [self.abi.event(topics, data) for address, topics, data in outcome.logs if address == self.address]

    def reverted(self, outcome: Outcome) -> tuple[Any, ...]:
        """The error's name and arguments."""
        assert not outcome.succeeded, "nothing reverted"
        assert outcome.output, "out of gas, or a revert without a reason"
        abi = self.abi if outcome.output[:4] in self.abi.errors else self.positions_abi
        name, arguments = abi.error(outcome.output)
        return (name, *arguments)


def as_tuple(cycle: Cycle) -> tuple[Any, ...]:
    return cycle.id, cycle.cut_off_block, list(cycle.brands), cycle.root, cycle.count, cycle.deadline
