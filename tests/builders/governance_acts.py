"""The governance contract on an in-memory chain, with keys that propose, approve, cancel and veto acts.

Signatures are made by eth-account's own EIP-712, which shares nothing with the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.abi import ContractAbi, Event, contract_abi
from tests.builders.ledger_chain import COALITION_ID, FOREVER, LedgerChain, Outcome, address_of, key_of

DELAY = 2 * SECONDS_PER_DAY
NONE = bytes(32)
GUARDIAN, STRANGER = key_of("guardian"), key_of("stranger")
APPROVAL_FIELDS = [("operation", "bytes32"), ("approvedAt", "uint40"), ("goodUntil", "uint40")]
VETO_FIELDS = [("operation", "bytes32"), ("brand", "uint32")]

Approval = tuple[int, int, bytes]  # as the contract takes it: approved at, good until, signature


@dataclass(frozen=True)
class Act:
    """One call that governance is to make, or all calls of a batch."""

    calls: tuple[tuple[bytes, int, bytes], ...]  # (target, value, data)
    is_batch: bool = False
    predecessor: bytes = NONE
    salt: bytes = NONE

    @property
    def arguments(self) -> tuple[Any, ...]:
        targets, values, payloads = (list(column) for column in zip(*self.calls, strict=True))
        what = (targets, values, payloads) if self.is_batch else (targets[0], values[0], payloads[0])
        return (*what, self.predecessor, self.salt)

    @property
    def operation(self) -> bytes:
        types = ["address[]", "uint256[]", "bytes[]"] if self.is_batch else ["address", "uint256", "bytes"]
        return keccak(encode([*types, "bytes32", "bytes32"], self.arguments))

    def again(self, salt: int) -> Act:
        return replace(self, salt=salt.to_bytes(32))


class Governance:
    """Two of the approvers ann, bea and cyd are needed. `target` is the contract that acts speak of, by its ABI."""

    target: ContractAbi

    def __init__(self, chain: LedgerChain, *, delay: int = DELAY, sandbox: bool = False, threshold: int = 2) -> None:
        self.chain = chain
        self.abi = contract_abi("Governance")
        self.delay = delay
        self.approvers = sorted((key_of(name) for name in ("ann", "bea", "cyd")), key=address_of)
        self.address = self.chain.deploy(self.abi.creation(*self.creation_arguments(delay=delay, sandbox=sandbox, threshold=threshold)))

    def creation_arguments(self, **other: Any) -> tuple[Any, ...]:
        """The constructor's; any of sandbox, delay, operator, guardian, approvers, threshold may be another."""
        approvers = [address_of(key) for key in self.approvers]
        founding = (
            other.get("sandbox", False),
            other.get("delay", DELAY),
            other.get("operator", address_of(self.chain.operator)),
            other.get("guardian", address_of(GUARDIAN)),
            other.get("approvers", approvers),
            other.get("threshold", 2),
        )
        return COALITION_ID, founding

    def on_itself(self, function: str, *arguments: Any) -> Act:
        return Act(((self.address, 0, self.abi.call(function, *arguments)),))

    # Steps of an act

    def propose(self, act: Act, *, delay: int | None = None, sender: keys.PrivateKey | None = None) -> Outcome:
        return self.transact(
            "scheduleBatch" if act.is_batch else "schedule", *act.arguments, self.delay if delay is None else delay, sender=sender
        )

    def proposed(self, act: Act, *, delay: int | None = None) -> Act:
        """Proposed, and ready in the next block."""
        outcome = self.propose(act, delay=delay)
        assert outcome.succeeded, self.reverted(outcome)
        self.chain.set_time(max(self.chain.next_timestamp, self.ready(act)))
        return act

    def ready(self, act: Act) -> int:
        return int(self.view("getTimestamp", act.operation))

    def approval(self, act: Act, key: keys.PrivateKey, *, good_until: int = FOREVER, **other: Any) -> Approval:
        """Signed the second the act is ready, unless `approved_at` says otherwise; `domain` replaces parts of the domain."""
        approved_at = other.get("approved_at", self.ready(act))
        signed = {"operation": act.operation, "approvedAt": approved_at, "goodUntil": good_until}
        return approved_at, good_until, self.signed(key, "Approval", APPROVAL_FIELDS, signed, other.get("domain", {}))

    def approvals(self, act: Act, count: int = 2, **other: Any) -> list[Approval]:
        return [self.approval(act, key, **other) for key in self.approvers[:count]]

    def execute(self, act: Act, approvals: Sequence[Approval] | None = None, *, value: int = 0) -> Outcome:
        """By a stranger, with two good approvals unless others are given."""
        function = "executeBatchApproved" if act.is_batch else "executeApproved"
        given = self.approvals(act) if approvals is None else list(approvals)
        return self.transact(function, *act.arguments, given, sender=STRANGER, value=value)

    def done(self, act: Act, *, delay: int | None = None) -> Outcome:
        """Proposed, approved and executed."""
        outcome = self.execute(self.proposed(act, delay=delay))
        assert outcome.succeeded, self.reverted(outcome)
        return outcome

    def cancel(self, act: Act, *, sender: keys.PrivateKey = GUARDIAN) -> Outcome:
        return self.transact("cancel", act.operation, sender=sender)

    def veto(self, act: Act, key: keys.PrivateKey, *, brand: int = 1, signed_act: Act | None = None, **other: Any) -> Outcome:
        message = {"operation": (signed_act or act).operation, "brand": brand}
        signature = other.get("signature") or self.signed(key, "Veto", VETO_FIELDS, message, other.get("domain", {}))
        return self.transact("veto", *act.arguments, signature, sender=STRANGER)

    def signed(
        self, key: keys.PrivateKey, name: str, fields: list[tuple[str, str]], message: dict[str, Any], domain: dict[str, Any]
    ) -> bytes:
        ours = {
            "name": "Splittally",
            "version": "1",
            "chainId": self.chain.chain_id,
            "verifyingContract": "0x" + self.address.hex(),
            "salt": COALITION_ID,
        }
        types = {name: [{"name": field, "type": kind} for field, kind in fields]}
        return bytes(Account.sign_typed_data(key.to_bytes(), ours | domain, types, message).signature)

    # Chain

    def transact(self, function: str, *arguments: Any, sender: keys.PrivateKey | None = None, value: int = 0) -> Outcome:
        return self.chain.send(self.address, self.abi.call(function, *arguments), sender=sender, value=value)

    def view(self, function: str, *arguments: Any) -> Any:
        outcome = self.chain.call(self.address, self.abi.call(function, *arguments))
        assert outcome.succeeded, self.reverted(outcome)
        return self.abi.answer(function, outcome.output)

    def events(self, outcome: Outcome) -> list[Event]:
        return [self.abi.event(topics, data) for address, topics, data in outcome.logs if address == self.address]

    def reverted(self, outcome: Outcome) -> str:
        """The name of the error, governance's own or the target's."""
        assert not outcome.succeeded, "nothing reverted"
        assert outcome.output, "out of gas, or a revert without a reason"
        abi = self.abi if outcome.output[:4] in self.abi.errors else self.target
        return abi.error(outcome.output)[0]
