"""What publishing needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.loyalty.rule import EarningRule


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """`signature` is the publisher's; None of a brand that signs no rules: its versions are in force without an agent's word."""

    rule: EarningRule
    signature: bytes | None


class Rules(Protocol):
    def published(self, brand_id: int) -> list[EarningRule]: ...
    def told(self, brand_id: int) -> list[PublishedRule]: ...
    def add(self, brand_id: int, rule: EarningRule, signature: bytes | None, at: int) -> None: ...
    def put_in_force(self, brand_id: int, version: int, in_force_from: int) -> None: ...
