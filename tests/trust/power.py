"""One line of docs/trust.md: what a function does, who may call it alone, and what everybody else is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from tests.trust.ground import DONE, ROLES, Ground

Arguments = Callable[[Ground, LocalAccount, str], tuple[Any, ...]]
AT_ONCE, EVERYBODY, NOBODY, AFTER_APPROVALS = "at once", ROLES, "nobody", "the delay, then k approvals"


@dataclass(frozen=True)
class Power:
    """`arguments` are the best that a role can bring, signed by its own key. `refusal` answers whoever is not in `may`."""

    does: str
    arguments: Arguments
    refusal: str
    may: tuple[str, ...] = ()
    after: str = AT_ONCE
    stopped_by: str = NOBODY
    seen: str = ""  # the event that every reader of the chain sees
    answers: Mapping[str, str] = field(default_factory=dict)

    def expected(self, role: str) -> str:
        return self.answers.get(role, DONE if role in self.may else self.refusal)
