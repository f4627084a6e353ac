"""Settings from file, environment and caller; what cannot be used is named."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from gateway.config import BadSettings, Settings, load_settings, settings_of


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
        ({"currency": "XYZ"}, "ISO 4217"),
        ({"batch_lifetime_seconds": True}, "whole number"),
        ({"poll_seconds": True}, "number of seconds"),
        ({"data_dir": ""}, "path of a directory"),
        ({"rpc_url": "http://"}, "the node's URL"),
        ({"rpc_url": "http://[::"}, "the node's URL"),
        ({"rpc_url": "http://127.0.0.1:x/"}, "the node's URL"),
        ({"rpc_url": "ftp://host"}, "the node's URL"),
        ({"signer_networks": ["10.0.0.1/8"]}, "list of networks"),
        ({"signer_networks": "10.0.0.0/8"}, "list of networks"),
        ({"signer_networks": ["intranet"]}, "list of networks"),
        ({"colour": "blue"}, "colour is no setting"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, object], reason: str) -> None:
    with pytest.raises(BadSettings, match=reason):
        settings_of(values)


def test_every_wrong_setting_is_named_at_once_with_its_place_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('currency = "euro"\nprot = 1\npoll_seconds = 0\nsandbox = true\n')
    monkeypatch.setenv("SPLITTALLY_PORT", "many")
    with pytest.raises(BadSettings) as refused:
        load_settings(file, data_dir=tmp_path, database_url="mysql://root@localhost/x")
    said = str(refused.value).split("; ")
    assert said == [
        f"prot is no setting (in {file}): is port meant?",
        f"database_url is 'mysql://root@localhost/x' (from --database): it must be {Settings.model_fields['database_url'].description}",
        "port is 'many' (from SPLITTALLY_PORT): it must be a port: a whole number from 0 to 65535",
        f"currency is 'euro' (in {file}): it must be an ISO 4217 code such as EUR",
        f"poll_seconds is 0 (in {file}): it must be a number of seconds above zero",
    ]


@pytest.mark.parametrize(
    "url",
    ["mysql://ann:s3cr:et@host/x", "mysql://:s3cr:et@host/x", "mysql://ann:p/s3cr:et@@host/x", "mysql://ann@host/x?password=s3cr:et&a=b"],
)
def test_a_password_is_never_shown(url: str) -> None:
    with pytest.raises(BadSettings) as refused:
        settings_of({"database_url": url, "port": "many"})
    assert "***" in str(refused.value)
    assert "s3cr:et" not in "".join(traceback.format_exception(refused.value))
    settings = settings_of({"database_url": url.replace("mysql", "postgresql")})
    assert "s3cr:et" not in f"{settings} {settings!r}"


def test_a_file_with_a_password_is_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('database_url = "postgresql://ann:s3cret@host/x"\n')
    file.chmod(0o640)
    with pytest.raises(BadSettings, match=f"chmod 600 {file}"):
        load_settings(file)
    monkeypatch.setenv("SPLITTALLY_DATABASE_URL", "postgresql://host/x")
    assert load_settings(file).database_url == "postgresql://host/x"
    monkeypatch.delenv("SPLITTALLY_DATABASE_URL")
    file.chmod(0o600)
    assert load_settings(file).database_url == "postgresql://ann:s3cret@host/x"
    file.write_text('database_url = "postgresql://ann@host/x"\n')
    file.chmod(0o644)
    assert load_settings(file).database_url == "postgresql://ann@host/x"


@pytest.mark.parametrize("parameter", ["password=s3cret", "PASSWORD=s3cret", "passwor%64=s3cret", "sslpassword=s3cret"])
def test_a_password_among_the_parameters_is_one_too(tmp_path: Path, parameter: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'database_url = "postgresql://host/x?{parameter}"\n')
    file.chmod(0o644)
    with pytest.raises(BadSettings, match=f"chmod 600 {file}"):
        load_settings(file)


def test_a_variable_that_is_no_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLITTALLY_DATABASE", "postgresql:///x")
    monkeypatch.setenv("SPLITTALLY_DEPTH", "normal")  # of the tests
    with pytest.raises(BadSettings) as refused:
        load_settings()
    assert str(refused.value) == "database is no setting (from SPLITTALLY_DATABASE): is database_url meant?"


def test_no_setting_comes_from_the_environment_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLITTALLY_PORT", "2000")
    assert (settings_of({}).port, load_settings().port) == (8080, 2000)


def test_a_broken_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("port =")
    with pytest.raises(BadSettings, match=r"broken\.toml"):
        load_settings(tmp_path / "broken.toml")
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(tmp_path / "missing.toml")
