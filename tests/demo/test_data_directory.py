"""A data directory is taken by one run, and only a place that can be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.demo.data_directory import DirectoryInUse, open_directory


def test_a_file_or_a_place_nobody_writes_to_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("somebody's")
    for place in (file, Path("/proc/demo")):
        with pytest.raises(DirectoryInUse, match="choose another --data"):
            open_directory(place, fresh=True)
    assert file.read_text() == "somebody's"


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("somebody's")
    with pytest.raises(DirectoryInUse, match="something else"):
        open_directory(tmp_path, fresh=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_second_run_is_refused_while_the_first_has_it(tmp_path: Path) -> None:
    first = open_directory(tmp_path / "demo", fresh=False)
    with pytest.raises(DirectoryInUse, match="another run"):
        open_directory(tmp_path / "demo", fresh=False)
    assert first.root == (tmp_path / "demo").resolve()
