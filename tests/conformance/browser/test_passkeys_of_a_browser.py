"""A passkey that a real browser's virtual authenticator made spends points on the embedded node and on anvil, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from eth_account import Account
from eth_keys import keys

from gateway.ledger.entries import ConsentProof, Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import AuthorizerChange, member_act_digest
from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.ledger.passkeys import PASSKEY_SELECTORS, Assertion, Passkey, PasskeyRefusal, consent_proof, passkey_refusal
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import MemberId
from tests.builders.abi import contract_abi
from tests.builders.issues import BASIS
from tests.builders.passkeys import SoftwareAuthenticator, with_high_s
from tests.builders.points_ledger import PointsLedger
from tests.builders.rpc_ledger_chain import RpcLedgerChain
from tests.conformance.browser.chromium import Page, chromium, site
from tests.conformance.clients.outside import Endpoint, anvil
from tests.node.running_node import RunningNode

pytestmark = pytest.mark.nodejs  # anvil comes with the npm packages

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the first of anvil's funded accounts
GROCER, FUEL = 1, 2
PASSKEY = AuthorizerKind.PASSKEY


@dataclass(frozen=True)
class Wallet:
    """A passkey and the pages on which its owner may be asked: her wallet's, one of the same name elsewhere, and a stranger's."""

    home: Page
    other_port: Page
    stranger: Page
    origin: str
    credential: str
    passkey: Passkey

    @property
    def authorizer(self) -> bytes:
        return self.passkey.authorizer()

    def sign(self, digest: bytes, page: Page | None = None, user_verification: str = "required") -> bytes:
        return _proof((page or self.home).call("approve", self.credential, digest.hex(), user_verification))

    def sign_in_a_strangers_frame(self, digest: bytes) -> bytes:
        url = f"{self.origin}/wallet.html"
        return _proof(self.stranger.call("approveInFrame", url, self.credential, digest.hex()))


@pytest.fixture(scope="module")
def wallet() -> Iterator[Wallet]:
    with site() as port, site() as other, chromium() as browser:
        home = browser.open(f"http://localhost:{port}/wallet.html")
        made = home.call("createPasskey")
        pages = [browser.open(f"http://{host}:{other}/wallet.html") for host in ("localhost", "127.0.0.1")]
        for page in pages:
            page.add_credential(home.credentials()[0])
        key = load_der_public_key(bytes.fromhex(made["publicKey"]))
        assert isinstance(key, EllipticCurvePublicKey)
        x, y = (number.to_bytes(32) for number in (key.public_numbers().x, key.public_numbers().y))
        origin = f"http://localhost:{port}"
        yield Wallet(home, *pages, origin, made["id"], Passkey(x, y, sha256(b"localhost").digest(), origin))


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
    return PointsLedger((GROCER, FUEL), chain=RpcLedgerChain(endpoint.call, keys.PrivateKey(bytes.fromhex(KEY[2:]))))


@pytest.fixture(scope="module")
def ann(ledger: PointsLedger, wallet: Wallet) -> bytes:
    member = ledger.enroll_passkey(wallet.authorizer)
    assert ledger.submit(GROCER, [Issue(member, 0, 1_000, BASIS, bytes(32))]) == []
    return member


def test_a_browsers_passkey_spends_once_and_only_what_was_approved_of(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    entry = redemption(ledger, ann, wallet, nonce=1)
    others = [
        replace(entry, points=11, lines=(Line(GROCER, 0, 11),)),
        replace(entry, reference=b"\x09" * 32),
        replace(entry, deadline=entry.deadline + 1),
    ]
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.CONSENT_INVALID)], "another brand"
    assert ledger.submit(FUEL, others) == [(index, RefusalReason.CONSENT_INVALID) for index in range(3)]
    assert ledger.submit(FUEL, [entry, entry]) == [(1, RefusalReason.CONSENT_USED)]
    assert ledger.held(ann, GROCER) == (990, 0)


def test_what_a_browser_signs_elsewhere_or_otherwise_is_refused_by_name(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    digest = sha256(b"a consent").digest()
    good = wallet.sign(digest)
    assert verdict(ledger, digest, wallet.authorizer, good) is None
    assert verdict(ledger, sha256(b"another").digest(), wallet.authorizer, good) is PasskeyRefusal.OTHER_CHALLENGE
    assert verdict(ledger, digest, wallet.authorizer, wallet.sign(digest, wallet.other_port)) is PasskeyRefusal.OTHER_ORIGIN
    assert verdict(ledger, digest, wallet.authorizer, wallet.sign_in_a_strangers_frame(digest)) is PasskeyRefusal.CROSS_ORIGIN
    assert verdict(ledger, digest, wallet.authorizer, with_high_s(good)) is PasskeyRefusal.HIGH_S
    elsewhere = replace(wallet.passkey, rp_id_hash=sha256(b"wallet.example").digest()).authorizer()
    assert verdict(ledger, digest, elsewhere, good) is PasskeyRefusal.OTHER_RELYING_PARTY
    absent = good[:97] + bytes([good[97] & ~1]) + good[98:]  # nothing on this machine signs without its user
    assert verdict(ledger, digest, wallet.authorizer, absent) is PasskeyRefusal.USER_NOT_PRESENT
    wallet.home.verifies_its_user(False)
    unverified = wallet.sign(digest, user_verification="discouraged")
    wallet.home.verifies_its_user(True)
    assert verdict(ledger, digest, wallet.authorizer, unverified) is PasskeyRefusal.USER_NOT_VERIFIED


def test_a_removed_passkey_of_a_browser_spends_nothing(ledger: PointsLedger, ann: bytes, wallet: Wallet) -> None:
    """Runs last: it takes the browser's passkey away from the member."""
    given_before, hers = redemption(ledger, ann, wallet, nonce=2), authorizer_id(PASSKEY, wallet.authorizer)
    new = SoftwareAuthenticator("ann's next phone")
    change = AuthorizerChange(MemberId(ann), PASSKEY, new.authorizer, hers, 0, ledger.now + 3_600)
    proof = consent_proof(wallet.authorizer, wallet.sign(member_act_digest(ledger.members_domain, change)))
    assert ledger.transact("changeAuthorizers", astuple(change), PASSKEY, proof).succeeded
    ledger.model.change_authorizers(ann, PASSKEY, new.authorizer, hers, signed_by=hers)
    assert ledger.submit(FUEL, [given_before]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]


def redemption(ledger: PointsLedger, member: bytes, wallet: Wallet, nonce: int) -> Redeem:
    blank = Redeem(member, bytes(32), bytes(32), nonce, ledger.now + 3_600, 10, 0, ConsentProof(PASSKEY, b""), (Line(GROCER, 0, 10),))
    return replace(blank, proof=ConsentProof(PASSKEY, consent_proof(wallet.authorizer, wallet.sign(ledger.reservation_id(FUEL, blank)))))


def verdict(ledger: PointsLedger, digest: bytes, authorizer: bytes, proof: bytes) -> PasskeyRefusal | None:
    """The deployed verifier's, which is Python's."""
    abi = contract_abi("PasskeyVerifier")
    selector = abi.answer("check", ledger.chain.call(ledger.passkey_verifier, abi.call("check", digest, authorizer, proof)).output)
    found = {each: refusal for refusal, each in PASSKEY_SELECTORS.items()}[selector] if any(selector) else None
    assert found == passkey_refusal(digest, authorizer, proof)
    return found


def _proof(answer: dict[str, str]) -> bytes:
    return Assertion(*(bytes.fromhex(answer[name]) for name in ("authenticatorData", "clientData", "signature"))).proof()
