"""The tests mirror the source: whoever looks for a folder's tests finds them under the same path."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.sources import ROOT

WITHOUT_NAMESAKE = {"hostile": "attacks from outside meet every layer"}


def test_every_folder_of_gateway_tests_has_a_namesake_in_the_gateway() -> None:
    assert _without_namesake(ROOT) == set(WITHOUT_NAMESAKE)


def test_a_folder_of_tests_without_a_namesake_is_seen(tmp_path: Path) -> None:
    for path in ("gateway/points/views.py", "tests/gateway/test_app.py", "tests/gateway/points/test_views.py"):
        _touch(tmp_path / path)
    assert _without_namesake(tmp_path) == set()
    _touch(tmp_path / "tests/gateway/points/lots/test_lots.py")
    _touch(tmp_path / "tests/gateway/operations/test_views.py")
    (tmp_path / "tests/gateway/left_empty").mkdir()
    assert _without_namesake(tmp_path) == {"points/lots", "operations"}


def _without_namesake(root: Path) -> set[str]:
    tests = root / "tests" / "gateway"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    return {str(folder) for folder in folders if not (root / "gateway" / folder).is_dir()}


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
