"""What issues and openings rest on in tests that do not look at it."""

from __future__ import annotations

from gateway.ledger.issue_parts import AwardBasis, OpeningBasis
from gateway.values.ids import Hash

BASIS = AwardBasis(1, 1, 1, Hash(b"\x0d" * 32))
OPENING_BASIS = OpeningBasis(2, 1, Hash(b"\x0e" * 32))
