"""What the signer remembers: the journal, and never two contents under one number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.brand_signer.journal import Journal, SignedBatch, WrongJournal
from gateway.brand_signer.sign_batch import NumberUsed
from gateway.values.ids import Hash
from tests.gateway.brand_signer.brand_books import BRAND, DEADLINE, DOMAIN, Brand, batch, issue, refusals


def test_the_same_batch_gets_the_same_signature_also_after_a_restart(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    request = batch(1, issue("p-1", 9))
    signature = brand.signer().sign(request)
    assert brand.signer().sign(request) == signature
    assert (brand.folder / "signed.jsonl").read_bytes().count(b"\n") == 2


def test_a_number_is_never_signed_with_other_entries(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    brand.signer().sign(batch(1, issue("p-1", 9)))
    for _ in range(2):
        signer = brand.signer()
        with pytest.raises(NumberUsed):
            signer.sign(batch(1, issue("p-2", 9)))
        with pytest.raises(NumberUsed):
            signer.sign(batch(1, issue("p-1", 9), issue("p-2", 9)))


def test_a_batch_that_came_too_late_is_signed_again_with_another_deadline(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    first = signer.sign(batch(1, issue("p-1", 9)))
    again = batch(1, issue("p-1", 9), deadline=DEADLINE + 60)
    second = signer.sign(again)
    assert first != second
    assert brand.signer().sign(again) == second
    assert refusals(brand.signer(), 2, [issue("p-1", 9)]) == [(0, "already_signed")]


def test_a_refused_batch_leaves_no_trace(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    before = (brand.folder / "signed.jsonl").read_bytes()
    assert refusals(signer, 1, [issue("p-1", 9), issue("p-9", 9)]) == [(1, "unknown_sale")]
    assert (brand.folder / "signed.jsonl").read_bytes() == before
    assert signer.signed(1) is None


def test_a_torn_last_line_is_cut_off_and_its_number_is_free(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    signer = brand.signer()
    signer.sign(batch(1, issue("p-1", 9)))
    journal, index = brand.folder / "signed.jsonl", brand.folder / "signed.jsonl.index"
    brand.close()
    known = index.read_bytes()
    signer = brand.signer()
    signer.sign(batch(2, issue("p-2", 9)))
    brand.close()
    journal.write_bytes(journal.read_bytes()[:-5])
    index.write_bytes(known)  # which knows nothing yet of a line that was never whole
    signer = brand.signer()
    assert signer.signed(1) is not None
    assert signer.signed(2) is None
    assert refusals(signer, 2, [issue("p-2", 9)]) == []
    assert brand.signer().signed(2) is not None


def test_a_damaged_line_inside_the_journal_stops_the_signer(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    brand.signer().sign(batch(1, issue("p-1", 9)))
    brand.close()
    journal = brand.folder / "signed.jsonl"
    header, *lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(header + b"{}\n" + b"".join(lines))
    with pytest.raises(WrongJournal, match="damaged"):
        brand.signer()


def test_a_journal_belongs_to_one_ledger_and_one_brand(tmp_path: Path) -> None:
    Journal(tmp_path / "j", DOMAIN, BRAND).close()
    for domain, brand_id in ((replace(DOMAIN, coalition_id=Hash(b"\x01" * 32)), BRAND), (replace(DOMAIN, chain_id=1), BRAND), (DOMAIN, 9)):
        with pytest.raises(WrongJournal, match="another ledger or brand"):
            Journal(tmp_path / "j", domain, brand_id)
    Journal(tmp_path / "j", DOMAIN, BRAND).close()


def test_two_signers_never_share_a_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j", DOMAIN, BRAND)
    with pytest.raises(WrongJournal, match="in use"):
        Journal(tmp_path / "j", DOMAIN, BRAND)
    signed = SignedBatch(1, 2, batch(1, issue("p-1", 9)).entries, b"\x04")
    first.append(signed)
    first.close()
    second = Journal(tmp_path / "j", DOMAIN, BRAND)
    assert (second.signed(1), second.signed(2)) == (signed, None)
    second.close()


def test_yesterdays_journal_without_an_index_is_taken_over(brand: Brand) -> None:
    for number in range(1, 4):
        brand.sell(f"p-{number}", 1_000)
        brand.signer().sign(batch(number, issue(f"p-{number}", 9)))
    brand.close()
    index = brand.folder / "signed.jsonl.index"
    for damage in (index.unlink, lambda: index.write_bytes(b"no index at all, whatever its name says" * 200)):
        damage()
        signer = brand.signer()
        assert [signer.signed(number) is not None for number in range(1, 5)] == [True, True, True, False]
        assert refusals(signer, 4, [issue("p-2", 9)]) == [(0, "already_signed")]
        brand.close()
        assert index.stat().st_mode & 0o777 == 0o600


def test_an_index_of_another_journal_is_made_anew(brand: Brand, tmp_path: Path) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    journal = brand.folder / "signed.jsonl"
    brand.signer().sign(batch(1, issue("p-1", 9)))
    brand.close()
    other = journal.read_bytes()
    journal.unlink()
    (brand.folder / "signed.jsonl.index").unlink()
    brand.signer().sign(batch(1, issue("p-2", 9)))
    brand.close()
    assert len(journal.read_bytes()) == len(other)
    journal.write_bytes(other)
    signer = brand.signer()
    assert refusals(signer, 2, [issue("p-1", 9)]) == [(0, "already_signed")]
    assert refusals(signer, 2, [issue("p-2", 9)]) == []


def test_a_journal_that_lost_lines_signs_nothing(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    brand.signer().sign(batch(1, issue("p-1", 9)))
    brand.close()
    journal = brand.folder / "signed.jsonl"
    header, _ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(header)
    with pytest.raises(WrongJournal, match="lost lines"):
        brand.signer()


def test_what_does_not_get_to_the_disk_was_not_signed(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    signer = brand.signer()

    def full(_descriptor: int) -> None:
        raise OSError(28, "no room")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no room"):
            signer.sign(batch(1, issue("p-1", 9)))
    assert signer.signed(1) is None
    signer.sign(batch(1, issue("p-2", 9)))
    assert refusals(brand.signer(), 2, [issue("p-2", 9)]) == [(0, "already_signed")]
