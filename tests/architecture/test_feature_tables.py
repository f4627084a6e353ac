"""A feature may take another's nouns, ports and the shapes of its views, never its rows or tables.

These are for the feature itself, for the faces, and for audit and receipts, which read everything and change nothing. The tables of
rounds, projection and coalition are no feature's own: they are open to all for reading.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, gateway_layers, imported, python_files

OWN = ("rows", "tables")


def test_no_feature_takes_anothers_rows_or_tables() -> None:
    assert _taken(ROOT, _features(), _readers()) == []


def test_the_features_lie_between_what_reads_everything_and_the_rounds() -> None:
    assert {"access", "redemption", "clearing"} <= _features()
    assert {"rounds", "projection", "coalition", "audit", "api"} & _features() == set()
    assert {"api", "portal", "commands", "app", "schema", "audit", "receipts"} <= _readers()


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("points/views.py", "from gateway.members.rows import SqlMembers"),
        ("points/views.py", "from gateway.members import tables"),
        ("points/views.py", "import gateway.members.tables as kept"),
        ("points/views.py", "from gateway.loyalty.programmes.rows import SqlRules"),
        ("points/views.py", "if True:\n    from gateway.members.tables import MemberRow"),
        ("rounds/worker.py", "from gateway.members.rows import SqlMembers"),
    ],
)
def test_taking_anothers_rows_or_tables_is_seen(tmp_path: Path, importer: str, line: str) -> None:
    assert len(_taken(_planted(tmp_path, importer, line), {"members", "points", "loyalty"}, {"api", "audit"})) == 1


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("members/enroll_member.py", "from gateway.members.rows import SqlMembers"),
        ("loyalty/programmes/views.py", "from gateway.loyalty.programmes.rows import SqlRules"),
        ("api/members.py", "from gateway.members.rows import SqlMembers"),
        ("audit/evidence.py", "from gateway.members.tables import MemberRow"),
        ("points/views.py", "from gateway.members.views import MemberView"),
        ("points/views.py", "from gateway.members.ports import rows"),
        ("points/views.py", "from gateway.projection.tables import LedgerEntryRow"),
    ],
)
def test_taking_ones_own_or_what_is_open_is_free(tmp_path: Path, importer: str, line: str) -> None:
    assert _taken(_planted(tmp_path, importer, line), {"members", "points", "loyalty"}, {"api", "audit"}) == []


def _taken(root: Path, features: set[str], readers: set[str]) -> list[str]:
    taken = []
    for path in python_files(root / "gateway"):
        importer = path.relative_to(root / "gateway").with_suffix("").parts[0]
        for name in imported(path):
            owner = _owner(name, root)
            if owner in features and owner != importer and importer not in readers:
                taken.append(f"{path.relative_to(root)} takes {name}")
    return taken


def _owner(name: str, root: Path) -> str | None:
    """Whose rows or tables an imported name is, or lies in."""
    parts = name.split(".")
    for end in range(3, len(parts) + 1):
        if parts[0] == "gateway" and parts[end - 1] in OWN and root.joinpath(*parts[: end - 1], f"{parts[end - 1]}.py").exists():
            return parts[1]
    return None


def _features() -> set[str]:
    layers = gateway_layers()
    [above] = [place for place, layer in enumerate(layers) if "audit" in layer]
    [below] = [place for place, layer in enumerate(layers) if "rounds" in layer]
    return set().union(*layers[above + 1 : below])


def _readers() -> set[str]:
    layers = gateway_layers()
    [lowest] = [place for place, layer in enumerate(layers) if "audit" in layer]
    return set().union(*layers[: lowest + 1])


def _planted(folder: Path, importer: str, line: str) -> Path:
    for owner in ("members", "loyalty/programmes", "projection"):
        for module in OWN:
            (folder / "gateway" / owner).mkdir(parents=True, exist_ok=True)
            (folder / "gateway" / owner / f"{module}.py").touch()
    (folder / "gateway" / importer).parent.mkdir(parents=True, exist_ok=True)
    (folder / "gateway" / importer).write_text(line + "\n")
    return folder
