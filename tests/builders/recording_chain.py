"""The in-memory chain that also counts what is called on it and what that takes."""

from __future__ import annotations

from collections import Counter

from eth_keys import keys

from tests.builders.abi import contract_abi
from tests.builders.ledger_chain import GAS_PER_TRANSACTION, LedgerChain, Outcome

CONTRACT_NAMES = ("Governance", "PasskeyVerifier", "Brands", "Members", "Settlement", "Anchors", "PointsLedger")
FUNCTIONS = {
    abi.selector(item): f"{name}.{item['name']}"
    for name in CONTRACT_NAMES
    for abi in [contract_abi(name)]
    for item in abi.functions.values()
    if item["stateMutability"] not in ("view", "pure")
}


class RecordingChain(LedgerChain):
    """`most_gas` is that of the dearest transaction."""

    def __init__(self, *, with_p256: bool = False) -> None:
        super().__init__(with_p256=with_p256)
        self.called: Counter[str] = Counter()  # successful calls
        self.most_gas = 0
        self.sealed: list[tuple[bytes, int, Outcome]] = []  # each raw transaction, its block's timestamp, what it did

    def send(
        self, to: bytes, data: bytes, *, sender: keys.PrivateKey | None = None, gas: int = GAS_PER_TRANSACTION, value: int = 0
    ) -> Outcome:
        outcome = super().send(to, data, sender=sender, gas=gas, value=value)
        self.most_gas = max(self.most_gas, outcome.gas_used)
        if outcome.succeeded and to and data[:4] in FUNCTIONS:
            self.called[name := FUNCTIONS[data[:4]]] += 1
            if name.startswith("Governance.execute"):
                self.called.update(inner for selector, inner in FUNCTIONS.items() if selector in data[4:])
        return outcome

    def send_raw(self, raw: bytes) -> Outcome:
        outcome = super().send_raw(raw)
        self.sealed.append((raw, self.timestamp, outcome))
        return outcome

    def take_called(self) -> Counter[str]:
        taken, self.called = self.called, Counter()
        return taken
