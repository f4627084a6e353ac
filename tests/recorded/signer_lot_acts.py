"""What the reference signer answers to openings, restores, extensions and clawbacks that come later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from gateway.ledger.lot_references import ActivityKind
from gateway.values.ids import Hash
from tests.gateway.brand_signer import brand_books, lot_books
from tests.gateway.brand_signer.brand_books import BRAND, batch
from tests.recorded.signer_requests import asked_of, body_of, serving


def collect(folder: Path) -> list[dict[str, Any]]:
    """Questions in this order: what is refused, then what is signed."""
    return list(_answers(folder))


def _answers(folder: Path) -> Iterator[dict[str, Any]]:
    brand = brand_books.Brand(folder)
    lot_books.fill(brand)
    promised = brand_books.Brand(folder, programme=lot_books.EXTENDING)
    yield from _asked(brand, 1, {"refused: an extension that was not promised": lot_books.extend()})
    yield from _asked(promised, 1, {"an issue": brand_books.issue("p-1", 9)})
    yield from _asked(promised, 2, {"a clawback that falls short": brand_books.clawback("r-1", "p-1", 2)})
    yield from _asked(promised, 3, {"a clawback that comes later": lot_books.carried("r-1", 1, 2)})
    yield from _asked(promised, 4, {"refused: a refund that did not fail": lot_books.restore(4)})
    lot_books.fail(brand, "r-1")
    refused = {
        "refused: more than was taken": lot_books.restore(5),
        "refused: a clawback for a refund that failed": lot_books.carried("r-1", 2, 1),
        "refused: a file that is not known": lot_books.opening(source=Hash(bytes(32))),
        "refused: another ratio": lot_books.opening(ratio=(1, 1)),
        "refused: a line that is not there": lot_books.opening(9),
        "refused: an order that does not say when": lot_books.extend(ActivityKind.ORDER, "o-2"),
    }
    yield from _asked(promised, 4, refused)
    signed = {
        "a transfer of two members": brand_books.transfer(1),
        "what a failed refund took": lot_books.restore(4),
        "a line of the brand's file": lot_books.opening(),
        "an extension by a sale": lot_books.extend(),
        "an extension by an order": lot_books.extend(ActivityKind.ORDER, "o-1", days=(lot_books.EARLIER_DAY - 31, brand_books.EXPIRY_DAY)),
    }
    for number, (name, entered) in enumerate(signed.items(), start=4):
        yield from _asked(promised, number, {name: entered})
    for each in (brand, promised):
        each.close()
        each.till.close()


def _asked(brand: brand_books.Brand, number: int, asked: dict[str, brand_books.Entered]) -> Iterator[dict[str, Any]]:
    headers = {"Authorization": "Bearer token"}
    with serving(brand.signer(), BRAND, "token") as url, httpx.Client(base_url=url, headers=headers) as client:
        for name, entered in asked.items():
            yield asked_of(client, name, "/sign-batch", json=body_of(batch(number, entered)))
    brand.close()
