"""A passkey that a real browser's virtual authenticator made spends points on the embedded node and on anvil, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from hashlib import sha256

import pytest
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from gateway.ledger.entries import MEMBER_GRANT, ConsentProof, Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import AuthorizerChange, grant_to_member, member_act_digest
from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.ledger.passkeys import PASSKEY_SELECTORS, PasskeyRefusal, consent_proof, passkey_refusal, split_consent_proof
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Hash, MemberId
from tests.builders.abi import contract_abi
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.member_acts import acts_on
from tests.builders.passkeys import SoftwareAuthenticator, with_high_s
from tests.builders.points_ledger import PointsLedger
from tests.builders.rpc_ledger_chain import RpcLedgerChain
from tests.conformance.browser.wallet import Wallet
from tests.conformance.clients.outside import Endpoint, anvil
from tests.node.running_node import RunningNode

pytestmark = pytest.mark.nodejs  # anvil comes with the npm packages

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the first of anvil's funded accounts
GROCER, FUEL = 1, 2
TERMS = LedgerTerms(1, 1, 1, 1, 50, 90, 30)  # a point is a cent: 500 of them are 5.00 off
PASSKEY = AuthorizerKind.PASSKEY

Forge = Callable[["Asked"], Redeem]


class Asked:
    """A redemption of 500 of `member`'s points at the fuel station that nobody has approved of yet."""

    def __init__(self, ledger: PointsLedger, member: bytes, wallet: Wallet, nonce: int = 0) -> None:
        self.ledger, self.wallet = ledger, wallet
        order, reference, deadline = keccak(text="fuel for 20.00"), keccak(text="order 1"), ledger.now + 3_600
        proof = ConsentProof(PASSKEY, b"")
        self.entry = Redeem(member, reference, order, nonce, deadline, 500, 500, proof, (Line(GROCER, 0, 500),))

    def digest(self, entry: Redeem) -> bytes:
        return self.ledger.reservation_id(FUEL, entry)

    def approved(self, **other: object) -> Redeem:
        """By the passkey, with these terms in place of the usual ones."""
        entry = replace(self.entry, **other)
        return self.by(self.wallet.sign(self.digest(entry)), entry)

    def signed_by(self, sign: Callable[[bytes], bytes]) -> Redeem:
        return self.by(sign(self.digest(self.entry)), self.entry)

    def by(self, assertion: bytes, entry: Redeem) -> Redeem:
        return replace(entry, proof=ConsentProof(PASSKEY, self.wallet.naming(assertion)))


# What is asked for in the place of what was approved of.
CHANGED: dict[str, Forge] = {
    "another amount": lambda asked: replace(asked.approved(), points=501, discount=501, lines=(Line(GROCER, 0, 501),)),
    "a smaller amount": lambda asked: replace(asked.approved(), points=499, lines=(Line(GROCER, 0, 499),)),
    "another discount": lambda asked: replace(asked.approved(discount=600), discount=599),
    "another order": lambda asked: replace(asked.approved(), order=keccak(text="fuel for 40.00")),
    "another reference": lambda asked: replace(asked.approved(), reference=keccak(text="order 2")),
    "another nonce": lambda asked: replace(asked.approved(), nonce=asked.entry.nonce + 1),
    "another deadline": lambda asked: replace(asked.approved(), deadline=asked.entry.deadline + 1),
}
# What a browser signs elsewhere or otherwise.
MISSIGNED: dict[str, tuple[Forge, PasskeyRefusal]] = {
    **{name: (forge, PasskeyRefusal.OTHER_CHALLENGE) for name, forge in CHANGED.items()},
    "another origin": (lambda asked: asked.signed_by(asked.wallet.sign_elsewhere), PasskeyRefusal.OTHER_ORIGIN),
    "a stranger's frame": (lambda asked: asked.signed_by(asked.wallet.sign_in_a_strangers_frame), PasskeyRefusal.CROSS_ORIGIN),
    "nobody verified": (lambda asked: asked.signed_by(asked.wallet.sign_unverified), PasskeyRefusal.USER_NOT_VERIFIED),
    "nobody present": (lambda asked: asked.signed_by(asked.wallet.sign_absent), PasskeyRefusal.USER_NOT_PRESENT),
    "high s": (lambda asked: asked.signed_by(lambda digest: with_high_s(asked.wallet.sign(digest))), PasskeyRefusal.HIGH_S),
    "another time's signature": (
        lambda asked: asked.signed_by(lambda digest: _grafted(asked.wallet, digest)),
        PasskeyRefusal.WRONG_SIGNATURE,
    ),
}


def _grafted(wallet: Wallet, digest: bytes) -> bytes:
    return wallet.sign(bytes(32))[:64] + wallet.sign(digest)[64:]


@pytest.fixture(scope="module", params=["node", "anvil, prague", "anvil, osaka"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PointsLedger]:
    """Node and Osaka have the precompile; under Prague the library does without."""
    if request.param == "node":
        with RunningNode(tmp_path_factory.mktemp("node") / "data", ("--operator", Account.from_key(KEY).address)) as node:
            yield ledger_at(Endpoint("node", node.url))
    else:
        with anvil(hardfork=request.param.split()[-1]) as endpoint:
            yield ledger_at(endpoint)


def ledger_at(endpoint: Endpoint) -> PointsLedger:
    chain = RpcLedgerChain(endpoint.call, keys.PrivateKey(bytes.fromhex(KEY[2:])))
    return PointsLedger((GROCER, FUEL), terms=TERMS, chain=chain)


@pytest.fixture(scope="module")
def ann(ledger: PointsLedger, wallet: Wallet) -> bytes:
    member = ledger.enroll_passkey(wallet.authorizer)
    assert ledger.submit(GROCER, [Issue(member, 0, 10_000, BASIS, bytes(32))]) == []
    return member


def test_a_browsers_passkey_spends_once_and_only_at_the_brand_it_was_asked_for(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    held, _ = ledger.held(ann, GROCER)
    entry = Asked(ledger, ann, wallet, nonce=1).approved()
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.CONSENT_INVALID)], "another brand"
    assert verdict(ledger, GROCER, entry) is PasskeyRefusal.OTHER_CHALLENGE
    assert ledger.submit(FUEL, [entry, entry]) == [(1, RefusalReason.CONSENT_USED)]
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.CONSENT_USED)], "in a later batch"
    assert ledger.held(ann, GROCER) == (held - 500, 0)


def test_nothing_but_what_was_approved_of_at_home_spends_and_each_is_named(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    held = ledger.held(ann, GROCER)
    forged = {name: forge(Asked(ledger, ann, wallet, nonce=100 + 2 * turn)) for turn, (name, (forge, _)) in enumerate(MISSIGNED.items())}
    refused = ledger.submit(FUEL, list(forged.values()))
    assert refused == [(index, RefusalReason.CONSENT_INVALID) for index in range(len(forged))]
    named = {name: verdict(ledger, FUEL, entry) for name, entry in forged.items()}
    assert named == {name: reason for name, (_, reason) in MISSIGNED.items()}
    assert ledger.held(ann, GROCER) == held


def test_a_discount_below_the_brands_floor_is_refused_though_the_member_approved_of_it(
    ledger: PointsLedger, ann: bytes, wallet: Wallet
) -> None:
    entry = Asked(ledger, ann, wallet, nonce=2).approved(discount=499)
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.DISCOUNT_TOO_LOW)]
    assert verdict(ledger, FUEL, entry) is None


def test_a_passkey_bound_to_another_relying_party_spends_nothing_for_this_browser(ledger: PointsLedger, wallet: Wallet) -> None:
    elsewhere = replace(wallet.passkey, rp_id_hash=sha256(b"wallet.example").digest()).authorizer()
    member = ledger.enroll_passkey(elsewhere)
    assert ledger.submit(GROCER, [Issue(member, 0, 1_000, BASIS, bytes(32))]) == []
    asked = Asked(ledger, member, wallet)
    proof = consent_proof(elsewhere, wallet.sign(asked.digest(asked.entry)))
    entry = replace(asked.entry, proof=ConsentProof(PASSKEY, proof))
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.CONSENT_INVALID)]
    assert verdict(ledger, FUEL, entry) is PasskeyRefusal.OTHER_RELYING_PARTY


def test_a_browsers_passkey_spends_anothers_points_only_under_her_grant(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    bea = ledger.enroll("bea")
    assert ledger.submit(GROCER, [Issue(bea, 0, 1_000, BASIS, bytes(32))]) == []

    def spends(nonce: int) -> Redeem:
        asked = Asked(ledger, bea, wallet, nonce)
        named = replace(asked.entry, proof=ConsentProof(MEMBER_GRANT, ann + bytes([PASSKEY])))
        assertion = wallet.sign(asked.digest(named))
        return replace(named, proof=ConsentProof(MEMBER_GRANT, named.proof.proof + wallet.naming(assertion)))

    before = spends(1)
    assert ledger.submit(FUEL, [before]) == [(0, RefusalReason.GRANT_MISSING)]
    acts = acts_on(ledger)
    assert acts.relay(acts.grant(bea, grant_to_member(MemberId(ann)), (500, 500, 1_000)), key_of("bea")) is None
    own_points = replace(before, member=MemberId(ann), proof=ConsentProof(PASSKEY, before.proof.proof[21:]))
    assert ledger.submit(FUEL, [own_points]) == [(0, RefusalReason.CONSENT_INVALID)], "the consent names whose points"
    assert ledger.submit(FUEL, [before, spends(2)]) == [(1, RefusalReason.GRANT_EXCEEDED)]
    assert ledger.held(bea, GROCER) == (500, 0)


def test_a_removed_passkey_of_a_browser_spends_nothing(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    """Runs last: it takes the browser's passkey away from the member."""
    given_before, hers = Asked(ledger, ann, wallet, nonce=3).approved(), authorizer_id(PASSKEY, wallet.authorizer)
    new = SoftwareAuthenticator("ann's next phone")
    change = AuthorizerChange(MemberId(ann), PASSKEY, new.authorizer, hers, 0, ledger.now + 3_600)
    proof = wallet.consent(member_act_digest(ledger.members_domain, change))
    assert ledger.transact("changeAuthorizers", astuple(change), PASSKEY, proof).succeeded
    ledger.model.change_authorizers(MemberId(ann), PASSKEY, new.authorizer, Hash(hers), signed_by=Hash(hers))
    assert ledger.submit(FUEL, [given_before]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]
    assert verdict(ledger, FUEL, given_before) is None, "the assertion itself is good"


def verdict(ledger: PointsLedger, brand: int, entry: Redeem) -> PasskeyRefusal | None:
    """What the deployed verifier says of the entry's proof at this brand, which is what Python says."""
    parts = split_consent_proof(entry.proof.proof)
    assert parts is not None
    checked = ledger.reservation_id(brand, entry), *parts
    abi = contract_abi("PasskeyVerifier")
    selector = abi.answer("check", ledger.chain.call(ledger.passkey_verifier, abi.call("check", *checked)).output)
    found = {each: refusal for refusal, each in PASSKEY_SELECTORS.items()}[selector] if any(selector) else None
    assert found == passkey_refusal(*checked)
    return found
