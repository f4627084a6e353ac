"""What publishing needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from typing import Protocol

from gateway.loyalty.rule import EarningRule


class Rules(Protocol):
    def published(self, brand_id: int) -> list[EarningRule]: ...
    def add(self, brand_id: int, rule: EarningRule, at: int) -> None: ...
