"""The committed contracts deployed on an in-memory chain, with brands and members who sign, beside the plain-Python model.

Every batch goes to both, and their refusals, roots and records must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from eth_keys import keys
from eth_keys.exceptions import BadSignature
from eth_keys.exceptions import ValidationError as SignatureMalformed
from eth_utils import keccak

from gateway.ledger.batches import batch_record, entries_root, shown_issue
from gateway.ledger.brand_states import BrandState
from gateway.ledger.consents import ConsentTerms, TransferTerms, consent_digest, lines_hash, reservation_id_of, transfer_digest
from gateway.ledger.discounts import refund_discount
from gateway.ledger.entries import (
    BRAND_GRANT,
    MEMBER_GRANT,
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    PointRefund,
    Redeem,
    Transfer,
    encode_entry,
)
from gateway.ledger.framing import pack_entries
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.member_acts import AuthorizerChange, member_act_digest
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.owner_acts import BrandOwnerAct, HandOver, SetBrandKey, SetBrandTerms, SetExposure, owner_act_digest
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.proofs import Verify
from gateway.ledger.refusals import SELECTORS, RefusalReason, refusal_of
from gateway.ledger.signing import Domain, batch_digest
from gateway.ledger.terms import LedgerTerms
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash, MemberId, Reference
from tests.builders.abi import ContractAbi, Event, contract_abi
from tests.builders.governance_acts import STRANGER, Act, Governance
from tests.builders.ledger_chain import COALITION_ID, FOREVER, LedgerChain, Outcome, address_of, key_of

UTC_OFFSET_SECONDS = 3_600
LIMIT = 10**12
MEMBER_DELAY = 2 * SECONDS_PER_DAY
EXPOSURE = 2**96 - 1
TERMS = LedgerTerms(1, 100, 1, 100, 50, 90, 30)
SECP256K1_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

Reasons = list[tuple[int, RefusalReason]]


class PointsLedger:
    """The ledger under a sandbox's governance without a delay.

    A brand's batch key is named `brand <id>`, its owner's key `owner <id>`; `number` counts batches up where a test names none.
    Unless told not to be, each brand is `exposed` to any amount of each other one's points. `verifier` is the code that creates another
    verifier of passkeys.
    """

    def __init__(
        self,
        brands: Sequence[int] = (1, 2),
        limit: int = LIMIT,
        model: type[LedgerModel] = LedgerModel,
        terms: LedgerTerms = TERMS,
        chain: LedgerChain | None = None,
        exposed: bool = True,
        verifier: bytes | None = None,
    ) -> None:
        self.chain = chain or LedgerChain()
        self.abi = contract_abi("PointsLedger")
        self.governance = Governance(self.chain, delay=0, sandbox=True)
        self.passkey_verifier = self.chain.deploy(verifier or contract_abi("PasskeyVerifier").creation())
        self.verifier_says: Verify = verify_passkey  # what the model takes the verifier of passkeys to answer
        self._deploy(UTC_OFFSET_SECONDS)
        self.domain, self.brands_domain, self.members_domain = (
            Domain(self.chain.chain_id, address, COALITION_ID) for address in (self.address, self.brands, self.members)
        )
        self.model = model(self.domain, UTC_OFFSET_SECONDS, recover, lambda *asked: self.verifier_says(*asked))
        self.last_number = 0
        self.recorded: dict[tuple[int, int], tuple[Sequence[bytes], Reasons]] = {}  # (brand, number) → entries, refusals
        self.acts = 0
        if brands:
            self.govern(*(("registerBrand", (registration(brand, limit=limit, terms=terms),)) for brand in brands))
        for brand in brands:
            self.model.register_brand(brand, limit)
            self.model.set_brand_terms(brand, terms, self.chain.timestamp)
        if exposed:
            self._expose_to_each_other(brands)

    def _deploy(self, utc_offset_seconds: int) -> None:
        """Brands, members, settlement, and the ledger to which all belong."""
        brands, members, settlement = contract_abi("Brands"), contract_abi("Members"), contract_abi("Settlement")
        self.address = self.chain.foreseen(3)
        self.brands = self.chain.deploy(brands.creation(self.governance.address, utc_offset_seconds))
        self.members = self.chain.deploy(members.creation(self.governance.address, self.passkey_verifier, self.address, MEMBER_DELAY))
        self.settlement = self.chain.deploy(settlement.creation(self.governance.address, self.brands, self.address))
        arguments = (self.governance.address, self.brands, self.members, self.settlement, b"EUR")
        assert self.chain.deploy(self.abi.creation(*arguments)) == self.address
        self.contracts = [(self.address, self.abi), (self.brands, brands), (self.members, members), (self.settlement, settlement)]
        self.governance.target = brands

    def place(self, function: str) -> tuple[bytes, ContractAbi]:
        """The contract that has the function: the ledger, where several have it."""
        return next((address, abi) for address, abi in self.contracts if function in abi.functions)

    @property
    def now(self) -> int:
        """The timestamp of the next block."""
        return self.chain.next_timestamp

    # Registers

    def register(self, brand: int, limit: int = LIMIT, *, exposed: bool = True) -> None:
        self.by_governance("registerBrand", registration(brand, limit=limit))
        others = list(self.model.state.brands)
        self.model.register_brand(brand, limit)
        self.model.set_brand_terms(brand, TERMS, self.chain.timestamp)
        for other in others if exposed else ():
            self._expose_to_each_other((brand, other))

    def _expose_to_each_other(self, brands: Sequence[int]) -> None:
        for brand in brands:
            for issuer in brands:
                if issuer != brand:
                    self.expose(brand, issuer, EXPOSURE)

    def expose(self, brand: int, issuer: int, most: int) -> None:
        """The brand lets itself be owed so many of the issuer's points."""
        outcome = self.owner_act(SetExposure(brand, issuer, most, self.view("ownerActs", brand), FOREVER))
        assert outcome.succeeded, self.reverted(outcome)

    def set_status(self, brand: int, status: int) -> None:
        self.by_governance("setBrandStatus", brand, status)
        self.model.set_brand_status(brand, status)

    def start_run_off(self, brand: int, last_day: int) -> None:
        self.by_governance("startRunOff", brand, last_day)
        self.model.set_brand_status(brand, BrandState.RUNNING_OFF, last_day)

    def set_limit(self, brand: int, limit: int) -> None:
        self.by_governance("setBrandLimit", brand, limit)
        self.model.set_brand_limit(brand, limit)

    def set_key(self, brand: int, key: bytes, valid_from: int = 0, valid_until: int = FOREVER) -> None:
        outcome = self.set_brand_key(brand, key, valid_from, valid_until)
        assert outcome.succeeded, self.reverted(outcome)

    # Acts of governance

    def act(self, *calls: tuple[str, tuple[Any, ...]]) -> Act:
        """What governance is to do here: one call, or several as a batch."""
        self.acts += 1
        payloads = tuple((address, 0, abi.call(name, *arguments)) for name, arguments in calls for address, abi in [self.place(name)])
        return Act(payloads, is_batch=len(calls) > 1, salt=self.acts.to_bytes(32))

    def attempt(self, function: str, *arguments: Any) -> Outcome:
        """Proposed, approved, and executed as far as the ledger lets it."""
        return self.governance.execute(self.governance.proposed(self.act((function, arguments))))

    def by_governance(self, function: str, *arguments: Any) -> Outcome:
        return self.govern((function, arguments))

    def govern(self, *calls: tuple[str, tuple[Any, ...]]) -> Outcome:
        return self.governance.done(self.act(*calls))

    # Acts of a brand's owner

    def owner_act(self, act: BrandOwnerAct, *signers: keys.PrivateKey) -> Outcome:
        """Signed by the brand's owner unless others are given, and relayed by a stranger."""
        signatures = [signature(key, owner_act_digest(self.brands_domain, act)) for key in signers or [owner_key(act.brand)]]
        signed = (act.nonce, act.deadline, signatures[0])
        match act:
            case SetBrandKey():
                window = (act.valid_from, act.valid_until, act.managed)
                return self.relayed("setBrandKey", act.brand, act.key, window, signed)
            case SetBrandTerms():
                outcome = self.relayed("setBrandTerms", act.brand, astuple(act.terms), signed)
                if outcome.succeeded:
                    self.model.set_brand_terms(act.brand, act.terms, self.chain.timestamp)
                return outcome
            case SetExposure():
                outcome = self.relayed("setExposure", act.brand, act.issuer, act.most, signed)
                if outcome.succeeded:
                    self.model.set_exposure(act.brand, act.issuer, act.most)
                return outcome
            case HandOver():
                return self.relayed("handOver", act.brand, act.owner, act.issues_no_more, signed, signatures[1])

    def set_brand_key(self, brand: int, key: bytes, valid_from: int, valid_until: int, *signers: keys.PrivateKey) -> Outcome:
        act = SetBrandKey(brand, Address(key), valid_from, valid_until, False, self.view("ownerActs", brand), FOREVER)
        return self.owner_act(act, *signers)

    def set_brand_terms(self, brand: int, terms: LedgerTerms) -> Outcome:
        return self.owner_act(SetBrandTerms(brand, terms, self.view("ownerActs", brand), FOREVER))

    def relayed(self, function: str, *arguments: Any) -> Outcome:
        return self.transact(function, *arguments, sender=STRANGER)

    # Members

    def enroll_passkey(self, authorizer: bytes) -> bytes:
        """The member whose first authorizer is this passkey."""
        self.sent("enroll", [(AuthorizerKind.PASSKEY, authorizer, bytes(32))])
        return self.model.enroll(AuthorizerKind.PASSKEY, authorizer, bytes(32))

    def enroll(self, name: str, kind: int = 1) -> bytes:
        """The member whose first authorizer is the key called `name`."""
        authorizer = address_of(key_of(name))
        self.sent("enroll", [(kind, authorizer, bytes(32))])
        return self.model.enroll(kind, authorizer, bytes(32))

    # Batches

    def submit(self, brand: int, entries: Sequence[Entry | bytes], *, number: int | None = None) -> Reasons:
        """Sends a signed batch to contract and model; returns the refused entries."""
        packed = [entry if isinstance(entry, bytes) else encode_entry(entry) for entry in entries]
        return self.submit_packed(brand, pack_entries(packed), packed, number=number)

    def submit_packed(self, brand: int, data: bytes, expected: Sequence[bytes], *, number: int | None = None) -> Reasons:
        """Sends `data` as it is; `expected` are the entries that it should be read as."""
        number = self.next_number() if number is None else number
        timestamp = self.now
        outcome = self.transact("submitBatch", *self.signed(brand, number, data))
        assert outcome.succeeded, self.reverted(outcome)
        refusals = self.model.apply_batch(brand, number, expected, timestamp)
        self.last_outcome = outcome
        events = self.events(outcome)
        refused = [(each.values["index"], refusal_of(each.values["reason"])) for each in events if each.name == "EntryRefused"]
        assert refused == refusals, "the contract's refusals are the model's"
        root, recorded = entries_root(expected), events[-1].values
        assert recorded["root"] == root, "the contract's root is the model's"
        assert (recorded["entryCount"], recorded["refusedCount"]) == (len(expected), len(refusals))
        self.recorded[brand, number] = expected, refused
        assert self.view("batch", brand, number) == batch_record(root, self.model.state.batches[brand, number])
        return refused

    def shown(self, brand: int, number: int, index: int) -> ShownIssue:
        """An entry of a batch as a clawback shows it."""
        entries, refusals = self.recorded[brand, number]
        return shown_issue(number, entries, index, [(refused, SELECTORS[reason]) for refused, reason in refusals])

    def clawback(self, brand: int, member: bytes, *lines: Line, number: int, index: int = 0) -> Clawback:
        return Clawback(MemberId(member), Reference(keccak(text="refund")), self.shown(brand, number, index), lines)

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def signed(
        self,
        brand: int,
        number: int,
        data: bytes,
        *,
        deadline: int = FOREVER,
        key: keys.PrivateKey | None = None,
        domain: Domain | None = None,
    ) -> tuple[tuple[int, int, int], bytes, bytes]:
        """The arguments of submitBatch, signed by the brand's key unless another is given."""
        digest = batch_digest(domain or self.domain, brand, number, keccak(data), deadline)
        return (brand, number, deadline), data, signature(key or brand_key(brand), digest)

    def consented(
        self,
        entry: type[Authorize] | type[Redeem],
        brand: int,
        member: bytes,
        lines: Sequence[Line],
        *,
        key: keys.PrivateKey,
        **other: Any,
    ) -> Authorize | Redeem:
        """An authorize or redeem entry with the consent that `key` signs: the member's, or that of `spender` under the member's grant.

        `other` replaces nonce, deadline, points, discount, order, reference, or the whole proof.
        """
        points = other.get("points", sum(line.points for line in lines))
        discount, spender = other.get("discount", self.least_discount(brand, points)), other.get("spender", member)
        order, reference = other.get("order", keccak(text="cart")), other.get("reference", keccak(text="order"))
        nonce, deadline = other.get("nonce", 0), other.get("deadline", self.now + 3_600)
        terms = ConsentTerms(member, spender, brand, points, discount, order, reference, nonce, deadline)
        proof = ConsentProof(1, signature(key, consent_digest(self.domain, terms)))
        if spender != member:
            proof = ConsentProof(MEMBER_GRANT, spender + bytes([proof.kind]) + proof.proof)
        return entry(member, reference, order, nonce, deadline, points, discount, other.get("proof", proof), tuple(lines))

    def by_brand_grant(
        self, entry: type[Authorize] | type[Redeem], brand: int, member: bytes, lines: Sequence[Line], reference: bytes
    ) -> Authorize | Redeem:
        """What the brand takes under the member's grant."""
        points = sum(line.points for line in lines)
        terms = (0, self.now + 3_600, points, self.least_discount(brand, points))
        return entry(member, reference, bytes(32), *terms, ConsentProof(BRAND_GRANT, b""), tuple(lines))

    def least_discount(self, brand: int, points: int) -> int:
        """What the brand's terms give for the points."""
        terms = self.model.state.brands[brand].terms.held(self.now).terms
        return points * terms.redemption_minor // terms.redemption_points

    def reservation_id(self, brand: int, entry: Authorize | Redeem) -> bytes:
        return reservation_id_of(self.domain, brand, entry)

    def capture(self, reservation_id: bytes, lines: Sequence[Line], reference: bytes = bytes(32)) -> Capture:
        """With the share of the discount, if there is such a reservation."""
        reservation = self.model.state.reservations.get(reservation_id)
        discount = reservation.discount_of(sum(line.points for line in lines)) if reservation else 0
        return Capture(reservation_id, reference, discount, tuple(lines))

    def refund(self, reservation_id: bytes, lines: Sequence[Line], reference: bytes = bytes(32)) -> PointRefund:
        """With the share of the discount as the reservation stands now."""
        reservation = self.model.state.reservations.get(reservation_id)
        lots = [(line, reservation.lots.get(line.lot_id) if reservation else None) for line in lines]
        shares = [refund_discount(lot.discount, lot.captured, lot.refunded, line.points) for line, lot in lots if lot and lot.captured]
        return PointRefund(reservation_id, reference, max(sum(shares), 0), tuple(lines))

    def transfer(
        self, giver: bytes, taker: bytes, lines: Sequence[Line], giver_key: keys.PrivateKey, taker_key: keys.PrivateKey, **other: Any
    ) -> Transfer:
        """Signed by both; `other` replaces nonce and deadline."""
        nonce, deadline = other.get("nonce", 0), other.get("deadline", self.now + 3_600)
        digest = transfer_digest(self.domain, TransferTerms(giver, taker, lines_hash(lines), nonce, deadline))
        proofs = [ConsentProof(1, signature(key, digest)) for key in (giver_key, taker_key)]
        return Transfer(giver, taker, nonce, deadline, *proofs, tuple(lines))

    def release(self, reservation_id: bytes, lots: Sequence[int]) -> Outcome:
        """By a stranger."""
        outcome = self.relayed("release", reservation_id, list(lots))
        if outcome.succeeded:
            self.model.release(reservation_id, self.chain.timestamp)
        return outcome

    def change_authorizers(
        self, member: bytes, add: tuple[int, bytes], remove: bytes, nonce: int, *, key: keys.PrivateKey, **other: Any
    ) -> Outcome:
        """`key` signs as a key unless `kind` says otherwise; `deadline` may be given too."""
        act = AuthorizerChange(MemberId(member), *add, Hash(remove), nonce, other.get("deadline", self.now + 3_600))
        made = signature(key, member_act_digest(self.members_domain, act))
        return self.transact("changeAuthorizers", astuple(act), other.get("kind", 1), made)

    # Chain

    def sent(self, function: str, *arguments: Any, sender: keys.PrivateKey | None = None) -> Outcome:
        outcome = self.transact(function, *arguments, sender=sender)
        assert outcome.succeeded, self.reverted(outcome)
        return outcome

    def transact(self, function: str, *arguments: Any, sender: keys.PrivateKey | None = None) -> Outcome:
        address, abi = self.place(function)
        return self.chain.send(address, abi.call(function, *arguments), sender=sender)

    def view(self, function: str, *arguments: Any) -> Any:
        address, abi = self.place(function)
        outcome = self.chain.call(address, abi.call(function, *arguments))
        assert outcome.succeeded, self.reverted(outcome)
        return abi.answer(function, outcome.output)

    def held(self, member: bytes, brand: int, expiry_day: int = 0) -> tuple[int, int]:
        """(held, reserved) points of a lot."""
        held, reserved = self.view("pointsOf", member, lot_id(brand, expiry_day))
        return held, reserved

    def outstanding(self, brand: int) -> int:
        return int(self.view("outstanding", brand))

    def events(self, outcome: Outcome) -> list[Event]:
        abis = dict(self.contracts)
        return [abis[address].event(topics, data) for address, topics, data in outcome.logs if address in abis]

    def reverted(self, outcome: Outcome) -> str:
        """The name of the error that a transaction or call reverted with."""
        assert not outcome.succeeded, "nothing reverted"
        assert outcome.output, "out of gas, or a revert without a reason"
        abis = [*(abi for _, abi in self.contracts), self.governance.abi]
        return next(abi for abi in abis if outcome.output[:4] in abi.errors).error(outcome.output)[0]


def registration(brand: int, **other: Any) -> tuple[Any, ...]:
    """The argument of registerBrand; any of owner, limit, terms, key, window may be another."""
    return (
        brand,
        other.get("owner", address_of(owner_key(brand))),
        other.get("limit", LIMIT),
        astuple(other.get("terms", TERMS)),
        other.get("key", address_of(brand_key(brand))),
        other.get("window", (0, FOREVER, False)),
    )


def owner_key(brand: int) -> keys.PrivateKey:
    return key_of(f"owner {brand}")


def brand_key(brand: int) -> keys.PrivateKey:
    return key_of(f"brand {brand}")


def member_named(name: str, kind: int = 1) -> bytes:
    """The id of the member whose first authorizer is the key called `name`, enrolled or not."""
    return member_id(COALITION_ID, kind, address_of(key_of(name)), bytes(32))


def signature(key: keys.PrivateKey, digest: bytes) -> bytes:
    made = key.sign_msg_hash(digest)
    return bytes(made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([27 + made.v]))


def recover(digest: bytes, proof: bytes) -> bytes | None:
    """The signer's address, or None for what OpenZeppelin's ECDSA refuses: a high s, a v other than 27 or 28, no key."""
    r, s, v = int.from_bytes(proof[:32]), int.from_bytes(proof[32:64]), proof[64]
    if v not in (27, 28) or s > SECP256K1_ORDER // 2:
        return None
    try:
        signed = keys.Signature(vrs=(v - 27, r, s))
        return bytes(signed.recover_public_key_from_msg_hash(digest).to_canonical_address())
    except (BadSignature, SignatureMalformed):
        return None
