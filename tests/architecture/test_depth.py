"""The depth of the tests is named, and a name that is none is refused with the choices."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT
from tests.depth import DEEP_PLACES, Depth, depth_named


@pytest.mark.parametrize("name", ["normal", "deep", "soak"])
def test_a_depth_is_known_by_its_name(name: str) -> None:
    assert depth_named(name).name.lower() == name


@pytest.mark.parametrize("name", ["", "Soak", "1", "full"])
def test_another_name_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(ValueError, match="set it to one of normal, deep, soak"):
        depth_named(name)


def test_only_the_depth_module_reads_the_depths_variable() -> None:
    reads = re.compile(r'(?:environ|getenv)[\w.]*\("SPLITTALLY_DEPTH')
    readers = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py") if reads.search(path.read_text())}
    assert readers == {"tests/depth.py"}


def test_places_that_are_deep_are_there() -> None:
    assert [place for place in DEEP_PLACES if not (ROOT / place).exists()] == []


def test_a_deeper_run_is_never_a_smaller_one() -> None:
    assert Depth.NORMAL < Depth.DEEP < Depth.SOAK
