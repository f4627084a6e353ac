"""Brand 1's own signer, as the brand runs it: the reference signer with the brand's batch key, over a register in which nothing stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.brand_signer.books import Books
from gateway.brand_signer.config import Programme
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.key import Key
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.sign_batch import BatchRequest, BatchSigner, EntriesRefused
from gateway.ledger.entries import Entry, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.values.calendar import wall_clock
from tests.builders.commanded_coalition import BRAND
from tests.trust.ground import DONE, FOREVER, Ground

_EARNS_NOTHING = Programme((), False, 12, 0, 31)
_SECRET = b"s" * 32


def answer_of_its_signer(
    ground: Ground, number: int, entry: Entry, detail: dict[str, Any], clock: Callable[[], int] | None = wall_clock
) -> str:
    """The signer's reason against it. What it signs the operator sends: DONE."""
    packed, domain = pack_entries([encode_entry(entry)]), ground.known.domain("PointsLedger")
    with TemporaryDirectory() as folder, closing(Journal(Path(folder) / "signed.jsonl", domain, BRAND)) as journal:
        books = Books(_EARNS_NOTHING, FileRegister(Path(folder) / "sales.jsonl", _SECRET), _SECRET, _offset(ground), clock)
        signer = BatchSigner(Key(bytes(ground.keys["batch key"].key)), domain, BRAND, books, journal)
        try:
            signature = signer.sign(BatchRequest(BRAND, number, FOREVER, packed, (detail,)))
        except EntriesRefused as refused:
            return refused.refused[0].reason
    ground.send("operator", "PointsLedger", "submitBatch", (BRAND, number, FOREVER), packed, signature)
    return DONE


def _offset(ground: Ground) -> int:
    offset: int = ground.view("PointsLedger", "utcOffsetSeconds")
    return offset
