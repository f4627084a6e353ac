"""Settings from file, environment and caller; what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import BadSettings, load_settings, settings_of


def test_the_caller_wins_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('port = 1000\ncurrency = "EUR"\nsandbox = true\n')
    monkeypatch.setenv("SPLITTALLY_PORT", "2000")
    monkeypatch.setenv("SPLITTALLY_POLL_SECONDS", "0.5")
    settings = load_settings(file, data_dir=tmp_path)
    assert (settings.port, settings.currency, settings.sandbox, settings.poll_seconds) == (2_000, "EUR", True, 0.5)
    assert load_settings(file, data_dir=tmp_path, port=3_000).port == 3_000


def test_the_data_directorys_own_file_is_read_and_paths_stand_inside_it(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('rpc_url = "http://127.0.0.1:1"\n')
    settings = load_settings(data_dir=tmp_path)
    assert settings.rpc_url == "http://127.0.0.1:1"
    assert settings.operator_key_file == tmp_path / "operator.key"
    assert settings.database_url == f"sqlite:///{tmp_path / 'gateway.sqlite3'}"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"host": "0.0.0.0"}, "loopback"),
        ({"host": "example.org"}, "loopback"),
        ({"port": 70_000}, "port"),
        ({"port": "many"}, "port"),
        ({"currency": "usd"}, "ISO 4217"),
        ({"utc_offset_seconds": 90_000}, "offset"),
        ({"sandbox": "perhaps"}, "true or false"),
        ({"colour": "blue"}, "unknown settings: colour"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, object], reason: str) -> None:
    with pytest.raises(BadSettings, match=reason):
        settings_of(values)


def test_a_broken_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("port =")
    with pytest.raises(BadSettings, match=r"broken\.toml"):
        load_settings(tmp_path / "broken.toml")
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(tmp_path / "missing.toml")
