"""A restored, moved or second agent signs with a key of its own, once it knows what the agent before it has signed.

Keys are in no backup. The owner sets the new key and ends the old one; once the brand's node shows both, nothing that the old key signed
can still reach the ledger, so that what stands there is all that counts.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path

from eth_hash.auto import keccak

from gateway.brand_agent.ledger_reading import LedgerReading
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.journal import Journal, forget_index
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain, batch_digest
from gateway.values.ids import Address

SIGNS_WITH = "signs_with"


class OtherKey(Exception):
    """What was signed before was signed with another key than this agent's."""


@dataclass(frozen=True, slots=True)
class SignedPlace:
    """Where a brand keeps what it signed on a ledger."""

    path: Path
    domain: Domain
    brand_id: int


def check_key(journal: TillJournal, signed: Journal, key: Address, domain: Domain, brand_id: int) -> None:
    """Takes note of the key at the first start. Raises OtherKey for an agent that has to be rebuilt first."""
    known = journal.write(lambda connection: connection.execute("SELECT value FROM facts WHERE name = ?", (SIGNS_WITH,)).fetchone())
    before = _last_signer(signed, domain, brand_id) if known is None else known[0]
    if before not in (None, str(key)):
        told = f"it signed with {before} before, and its key is {key} now, as of an agent that was restored or moved"
        raise OtherKey(f"{told}: have the owner set the new key and end the old one, then run `rebuild --rpc URL` (docs/brand-agent.md)")
    if known is None:
        _note(journal, str(key))


def rebuild(reading: LedgerReading, journal: TillJournal, place: SignedPlace, key: Address) -> int:
    """Puts what the ledger holds in the place of what this agent knew of what was signed; how many batches that is.

    Raises OtherKey where the ledger does not show yet that this key is in force and every other that signed is over.
    """
    if not reading.key_window(key).holds(reading.head):
        raise OtherKey(f"at block {reading.head.number} key {key} is not in force: have the brand's owner set it, and run this again")
    begun = place.path.with_name(place.path.name + ".rebuilding")
    begun.unlink(missing_ok=True)
    forget_index(begun)
    over, count = {key}, 0
    with closing(Journal(begun, place.domain, place.brand_id)) as signed:
        for batch, signer in reading.batches():
            if signer not in over and not reading.key_window(signer).is_over(reading.head):
                told = f"at block {reading.head.number} key {signer}, which signed batch {batch.number}, is still in force"
                raise OtherKey(f"{told}: have the brand's owner end it, and run this again")
            over.add(signer)
            signed.append(batch)
            count += 1
    _note(journal, "a key that was ended")  # should this end between here and the last line, it is begun again
    if place.path.exists():
        os.link(place.path, _unused(place.path, reading.head.number))
    for path in (begun, place.path):
        forget_index(path)
    begun.replace(place.path)
    _note(journal, str(key))
    return count


def _unused(path: Path, block: int) -> Path:
    names = (path.with_name(f"{path.name}.before-{block}{'' if number == 0 else f'-{number}'}") for number in count_from(0))
    return next(name for name in names if not name.exists())


def _note(journal: TillJournal, key: str) -> None:
    journal.write(lambda connection: connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (SIGNS_WITH, key)))


def _last_signer(signed: Journal, domain: Domain, brand_id: int) -> str | None:
    last = signed.last
    if last is None:
        return None
    found = recover_address(batch_digest(domain, brand_id, last.number, keccak(last.entries), last.deadline), last.signature)
    return "an unknown key" if found is None else str(found)
