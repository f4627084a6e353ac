"""Where the lines of docs/trust.md are tried: a deployment by the product's own commands, and everybody's keys to try with.

The gateway is stopped once brand 1 is registered, so that an attacker has the operator's account, its node and the sealer's key to itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.chain.artifacts import contract_named, error_name
from gateway.chain.connection import Chain, NodeRefused
from gateway.ledger.governance import NO_PREDECESSOR, act_id, approval_digest, veto_digest
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.owner_acts import BrandOwnerAct, owner_act_digest
from gateway.second_people.known_coalition import KnownCoalition
from gateway.second_people.own_transaction import send_own
from gateway.values.hex import to_int, with_or_without_0x
from gateway.values.ids import Address, Hash
from tests.builders.commanded_coalition import APPROVERS, BRAND, CommandedCoalition
from tests.node.running_node import throwaway_account
from tests.trust.second_brand import register_managed
from tests.trust.standing import FOREVER, stand

DONE = ""
"""The answer to what succeeds."""
ROLES = ("operator", "guardian", "approver", "brand owner", "batch key", "member", "claim key", "sealer", "anybody")
Approvals = list[tuple[int, int, bytes]]


@dataclass(frozen=True)
class OneAct:
    """One call that governance is to make."""

    target: Address
    data: bytes
    salt: bytes

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.target, 0, self.data, NO_PREDECESSOR, self.salt

    @property
    def id(self) -> Hash:
        return act_id(self.target, self.data, Hash(self.salt))

    def again(self, salt: str) -> OneAct:
        return replace(self, salt=keccak(text=salt))


class Ground:
    """`keys` by role; ann is the member, bob has a claim key alone, mallory is a member of the operator's own."""

    def __init__(self, made: CommandedCoalition) -> None:
        self.known: KnownCoalition = made.known
        key = made.batch_key.address
        made.command("brand", "publish", "--brand", str(BRAND), "--batch-key", key, "--agent", key, person="owner")
        made.stop_gateway()
        self.made = made
        self.chain: Chain = made.chain
        settlement = Address.parse(self.view("PointsLedger", "settlement"))
        self.known = replace(self.known, contracts={**self.known.contracts, "Settlement": settlement})
        sealer = with_or_without_0x((made.folder / "node" / "sealer.key").read_text().strip())
        self.keys: dict[str, LocalAccount] = {
            "operator": made.operator,
            "guardian": made.account("guardian"),
            "approver": made.account(APPROVERS[0]),
            "brand owner": made.account("owner"),
            "batch key": made.batch_key,
            "member": throwaway_account("ann's wallet"),
            "claim key": throwaway_account("bob's claim"),
            "sealer": Account.from_key(sealer),
            "anybody": throwaway_account("passer-by"),
        }
        self.second_approver = made.account(APPROVERS[1])
        self.ann, self.bob = (
            member_id(self.known.coalition_id, kind, self.address(role), bytes(32))
            for kind, role in ((AuthorizerKind.KEY, "member"), (AuthorizerKind.CLAIM_KEY, "claim key"))
        )
        self.mallory = member_id(self.known.coalition_id, AuthorizerKind.KEY, self.address("operator"), bytes(32))
        self.own_brand = self.act("Brands", "setBrandOwner", BRAND, self.address("operator"))
        self.higher_limit = self.act("Brands", "setBrandLimit", BRAND, 2**96 - 1)
        self.two_limits = (self.higher_limit, self.higher_limit)
        self._enroll()
        self.standing = stand(self)
        register_managed(self)
        self._propose()

    def address(self, role: str) -> Address:
        return Address.parse(self.keys[role].address)

    def contract(self, name: str) -> Address:
        return self.known.contracts[name]

    def act(self, contract: str, function: str, *arguments: Any, salt: str = "first") -> OneAct:
        return OneAct(self.contract(contract), contract_named(contract).call(function, *arguments), keccak(text=salt))

    # What is tried

    def answer(self, account: LocalAccount, contract: str, function: str, *arguments: Any) -> str:
        """The contract's reason against it, DONE if it would be done; nothing is changed."""
        data = contract_named(contract).call(function, *arguments)
        try:
            self.chain.eth_call(self.contract(contract), data, sender=Address.parse(account.address))
        except NodeRefused as refused:
            return error_name(refused.data)
        return DONE

    def send(self, role: str, contract: str, function: str, *arguments: Any) -> None:
        send_own(self.chain, self.keys[role], self.contract(contract), contract_named(contract).call(function, *arguments))

    def view(self, contract: str, function: str, *arguments: Any) -> Any:
        artifact = contract_named(contract)
        (found,) = artifact.returned(function, self.chain.eth_call(self.contract(contract), artifact.call(function, *arguments)))
        return found

    @property
    def now(self) -> int:
        return to_int(self.chain.call("eth_getBlockByNumber", "latest", False)["timestamp"])

    def pass_time(self, seconds: int) -> None:
        """What whoever seals can do to the chain's clock; a second more, so that the next call is after it."""
        self.chain.call("evm_mine", hex(self.now + seconds + 1))

    # What is signed

    def signed(self, account: LocalAccount, digest: bytes) -> bytes:
        return bytes(Account.unsafe_sign_hash(digest, account.key).signature)

    def owner_act(self, account: LocalAccount, act: BrandOwnerAct) -> bytes:
        return self.signed(account, owner_act_digest(self.known.domain("Brands"), act))

    def veto(self, account: LocalAccount, act: OneAct) -> bytes:
        return self.signed(account, veto_digest(self.known.domain("Governance"), act.id, BRAND))

    def approvals(self, act: Hash, *accounts: LocalAccount, approved_at: int = FOREVER) -> Approvals:
        """In the contract's order. `approved_at` is the approver's clock."""
        domain, ordered = self.known.domain("Governance"), sorted(accounts, key=lambda each: bytes.fromhex(each.address[2:]))
        return [(approved_at, FOREVER, self.signed(each, approval_digest(domain, act, approved_at, FOREVER))) for each in ordered]

    @property
    def batch_id(self) -> Hash:
        """The timelock's id of the batch `two_limits`."""
        return Hash(keccak(encode(["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"], self.batch_arguments())))

    def batch_arguments(self, salt: str = "batch") -> tuple[Any, ...]:
        targets, payloads = [each.target for each in self.two_limits], [each.data for each in self.two_limits]
        return targets, [0] * len(targets), payloads, NO_PREDECESSOR, keccak(text=salt)

    # How it begins

    def _enroll(self) -> None:
        kinds = {"member": 1, "claim key": 2, "operator": 1}
        enrollments = [(kind, self.address(role), bytes(32)) for role, kind in kinds.items()]
        self.send("operator", "Members", "enroll", enrollments)

    def _propose(self) -> None:
        """The operator proposed that it owns brand 1, and more; all of it is ready, and none of it approved."""
        for act in (self.own_brand, self.higher_limit):
            self.send("operator", "Governance", "schedule", *act.arguments, self.known.delay_seconds)
        self.send("operator", "Governance", "scheduleBatch", *self.batch_arguments(), self.known.delay_seconds)
        self.pass_time(self.known.delay_seconds)
