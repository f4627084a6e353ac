"""The page of codes and reasons has every code that the program has, and none that it has not."""

from __future__ import annotations

import pytest

from scripts.codes_and_reasons import PAGE, WordsMissing, known_codes, page_of, written_words


def test_the_page_is_made_of_the_codes_that_there_are() -> None:
    assert PAGE.read_text() == page_of(written_words(), known_codes()), "make it again: python -m scripts.codes_and_reasons"


def test_all_kinds_of_codes_are_found() -> None:
    codes = known_codes()
    assert codes["problems"]["not_enough_points"] == "409"
    assert (codes["signer"]["unknown_sale"], codes["signer"]["wrong_member"]) == ("↻", "")
    assert {"batch_expired", "nothing_to_restore", "too_many_lots", "vetoed", "not_yet: REASON"} <= set(codes["operations"])
    assert {"ExposureExceeded"} <= set(codes["ledger"])
    assert {"number_used", "damaged_register", "wrong_brand", "not_authenticated", "bad_request"} <= set(codes["signer_errors"])


@pytest.mark.parametrize("section", ["problems", "operations", "signer", "ledger", "probe", "signer_errors"])
def test_a_code_without_words_and_words_without_a_code_are_named(section: str) -> None:
    codes = known_codes()
    codes[section] = {**codes[section], "brand_new": ""}
    with pytest.raises(WordsMissing, match=f"{section}: brand_new"):
        page_of(written_words(), codes)
    words = written_words()
    words[section]["long_gone"] = ["", ""]
    with pytest.raises(WordsMissing, match=f"{section}: long_gone"):
        page_of(words, known_codes())
