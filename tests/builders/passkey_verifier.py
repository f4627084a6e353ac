"""The committed passkey verifier on an in-memory chain, with or without the precompile, and the plain-Python check beside it."""

from __future__ import annotations

from gateway.ledger.passkeys import PASSKEY_SELECTORS, PasskeyRefusal, passkey_refusal
from tests.builders.abi import contract_abi
from tests.builders.ledger_chain import LedgerChain

VERIFIER_GAS = 500_000  # what the points ledger gives a verifier
REFUSALS = {selector: refusal for refusal, selector in PASSKEY_SELECTORS.items()}


class DeployedVerifier:
    """`gas_used` is that of the last `verify`."""

    def __init__(self, *, with_p256: bool = True) -> None:
        self.chain = LedgerChain(with_p256=with_p256)
        self.abi = contract_abi("PasskeyVerifier")
        self.address = self.chain.deploy(self.abi.creation())
        self.gas_used = 0

    def verdict(self, digest: bytes, authorizer: bytes, proof: bytes) -> PasskeyRefusal | None:
        """What the contract answers; Python must say the same, and `verify` yes to nothing but what `check` finds good."""
        arguments = digest, authorizer, proof
        checked = self.chain.call(self.address, self.abi.call("check", *arguments))
        verified = self.chain.call(self.address, self.abi.call("verify", *arguments))
        assert checked.succeeded, "a verifier reverted"
        assert verified.succeeded, "a verifier reverted"
        selector = self.abi.answer("check", checked.output)
        found = REFUSALS[selector] if any(selector) else None
        assert self.abi.answer("verify", verified.output) == (found is None)
        assert verified.gas_used < VERIFIER_GAS
        self.gas_used = verified.gas_used
        assert found == passkey_refusal(*arguments), "the contract's verdict is Python's"
        return found
