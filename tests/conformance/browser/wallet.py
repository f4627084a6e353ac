"""A passkey in a real browser, and every page on which its owner may be asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.ledger.passkeys import Assertion, Passkey, consent_proof
from tests.conformance.browser.chromium import Page, chromium, site

RP_ID = "localhost"


@dataclass(frozen=True)
class Wallet:
    """Its own page, one of the same name elsewhere, and a stranger's."""

    home: Page
    other_port: Page
    stranger: Page
    credential: str
    passkey: Passkey

    @property
    def authorizer(self) -> bytes:
        return self.passkey.authorizer()

    def consent(self, digest: bytes) -> bytes:
        """The proof of a consent of kind 3."""
        return self.naming(self.sign(digest))

    def naming(self, assertion: bytes) -> bytes:
        return consent_proof(self.authorizer, assertion)

    def sign(self, digest: bytes) -> bytes:
        return _proof(self.home.call("approve", self.credential, digest.hex()))

    def sign_elsewhere(self, digest: bytes) -> bytes:
        """At the same relying party's, but from another port: another origin."""
        return _proof(self.other_port.call("approve", self.credential, digest.hex()))

    def sign_in_a_strangers_frame(self, digest: bytes) -> bytes:
        return _proof(self.stranger.call("approveInFrame", f"{self.passkey.origin}/wallet.html", self.credential, digest.hex()))

    def sign_unverified(self, digest: bytes) -> bytes:
        """The page did not insist, and the authenticator did not ask."""
        self.home.verifies_its_user(False)
        assertion = _proof(self.home.call("approve", self.credential, digest.hex(), "discouraged"))
        self.home.verifies_its_user(True)
        return assertion

    def sign_absent(self, digest: bytes) -> bytes:
        """By an authenticator that signs without its user."""
        self.home.finds_nobody(True)
        assertion = self.sign(digest)
        self.home.finds_nobody(False)
        return assertion


@contextmanager
def browser_wallet() -> Iterator[Wallet]:
    with site() as port, site() as other, chromium() as browser:
        home = browser.open(f"http://localhost:{port}/wallet.html")
        made = home.call("createPasskey")
        pages = [browser.open(f"http://{host}:{other}/wallet.html") for host in ("localhost", "127.0.0.1")]
        for page in pages:
            page.add_credential(home.credentials()[0])
        yield Wallet(home, *pages, made["id"], _passkey(made["publicKey"], f"http://localhost:{port}"))


def _passkey(public_key: str, origin: str) -> Passkey:
    key = load_der_public_key(bytes.fromhex(public_key))
    assert isinstance(key, EllipticCurvePublicKey)
    x, y = (number.to_bytes(32) for number in (key.public_numbers().x, key.public_numbers().y))
    return Passkey(x, y, sha256(RP_ID.encode()).digest(), origin)


def _proof(answer: dict[str, Any]) -> bytes:
    return Assertion(*(bytes.fromhex(answer[name]) for name in ("authenticatorData", "clientData", "signature"))).proof()
