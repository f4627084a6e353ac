"""The gateway's settings: one TOML file, overridden by environment variables SPLITTALLY_<NAME>, overridden by the command line.

Keys stand in files of their own. A password in `database_url` is never shown, and a file that holds one is for its owner alone.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.authorities import NoAuthorities, also_those_of
from gateway.secret_files import FOR_OTHERS
from gateway.values.currencies import EXPONENTS
from gateway.values.errors import Foreseen
from gateway.values.urls import without_secrets


class BadSettings(ValueError, Foreseen):
    """Settings are missing, unknown or cannot be used; the message names each of them and where it stands."""


def _loopback(host: str) -> str:
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError("not loopback")
    return host


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a truth value")
    return value


def _named(path: Any) -> Any:
    if not str(path):
        raise ValueError("empty")
    return path


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no http URL")
    return url


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("no ISO 4217 code")
    return code


Number = BeforeValidator(_no_bool)
Seconds = Annotated[float, Number, Field(gt=0, allow_inf_nan=False, description="a number of seconds above zero")]
HostName = Annotated[str, AfterValidator(str.lower), Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$", description="a host's name without a port")]
HexAddress = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$", description="an account's address, 0x and 40 hex digits")]
FilePath = Annotated[Path, BeforeValidator(_named), Field(description="the path of a file")]
_DATABASE_URL = r"^$|^(sqlite|postgresql)(\+\w+)?://"


class Settings(BaseSettings):
    """Everything that a gateway is started with. Seconds are wall-clock seconds. A description says what the setting must be."""

    model_config = SettingsConfigDict(env_prefix="SPLITTALLY_", frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Annotated[Path, BeforeValidator(_named), AfterValidator(Path.resolve), Field(description="the path of a directory")] = Path(
        "var/gateway"
    )
    database_url: str = Field(
        "", pattern=_DATABASE_URL, repr=False, description="a URL like sqlite:////path/to/file or postgresql+psycopg://user@host/name"
    )
    rpc_url: Annotated[str, AfterValidator(_http)] = Field(
        "http://127.0.0.1:8545", repr=False, description="the node's URL, like http://127.0.0.1:8545"
    )
    host: Annotated[str, AfterValidator(_loopback)] = Field(
        "127.0.0.1", description="a loopback address such as 127.0.0.1: the gateway listens on loopback only"
    )
    port: Annotated[int, Number] = Field(8080, ge=0, lt=65_536, description="a port: a whole number from 0 to 65535")
    allowed_hosts: Annotated[tuple[HostName, ...], Field(max_length=100, description="a list of host names, without ports")] = ()
    connections_max: Annotated[int, Number] = Field(800, ge=10, le=100_000, description="a whole number from 10 to 100000")
    requests_per_second: Annotated[int, Number] = Field(4_000, ge=10, le=1_000_000, description="a whole number from 10 to 1000000")
    api_processes: Annotated[int, Number] = Field(1, ge=1, le=64, description="a whole number from 1 to 64")
    backlog_operations: Annotated[int, Number] = Field(100_000, ge=1, le=100_000_000, description="a whole number above zero")
    operator_key_file: FilePath = Path("operator.key")
    operator_api_key_file: FilePath = Path("operator-api.key")
    coalition_name: str = Field("Coalition", description="a text")
    currency: Annotated[str, AfterValidator(_currency)] = Field("USD", description="an ISO 4217 code such as EUR")
    utc_offset_seconds: Annotated[int, Number] = Field(
        0, ge=-14 * 3600, le=14 * 3600, description="an offset from UTC, at most 50400 seconds either way"
    )
    sandbox: bool = Field(False, description="true or false")
    coalition_id: str | None = Field(None, description="a text")
    guardian: HexAddress | None = None
    approvers: Annotated[tuple[HexAddress, ...], Field(max_length=32, description="a list of at most 32 addresses")] = ()
    approvals_needed: Annotated[int, Number] = Field(
        2, ge=1, le=32, description="a whole number from 1 to 32, at most as many as approvers"
    )
    governance_delay_seconds: Annotated[int, Number] = Field(
        2 * 86_400, ge=0, le=30 * 86_400, description="a whole number of seconds, at most 2592000"
    )
    member_delay_seconds: Annotated[int, Number] = Field(
        2 * 86_400, ge=0, le=30 * 86_400, description="a whole number of seconds, at most 2592000"
    )
    rpc_timeout_seconds: Seconds = 30.0
    signer_timeout_seconds: Seconds = 10.0
    signer_networks: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], Field(description="a list of networks such as 10.20.0.0/16 or 2001:db8::/48")
    ] = ()
    signer_ca: FilePath | None = None
    batch_lifetime_seconds: Annotated[int, Number] = Field(3600, gt=0, description="a whole number of seconds above zero")
    not_yet_seconds: Annotated[int, Number] = Field(86_400, ge=0, description="a whole number of seconds")
    stuck_after_seconds: Seconds = 30.0
    poll_seconds: Seconds = 0.1

    def signer_authorities(self) -> ssl.SSLContext | None:
        """Who vouches for signers' certificates: public authorities, and those of `signer_ca`. Raises BadSettings."""
        try:
            return None if self.signer_ca is None else also_those_of(self.signer_ca)
        except NoAuthorities as error:
            raise BadSettings(f"signer_ca cannot be used: {error}") from error

    @property
    def signer_addresses(self) -> AddressPolicy:
        """Where brands' signers may be: in `signer_networks`, or at public addresses; in a sandbox on this machine, too."""
        return AddressPolicy(tuple(ipaddress.ip_network(text) for text in self.signer_networks), loopback=self.sandbox)

    @field_validator("database_url")
    @classmethod
    def _in_data_dir(cls, url: str, info: ValidationInfo) -> str:
        return url or f"sqlite:///{info.data.get('data_dir', Path()) / 'gateway.sqlite3'}"

    @field_validator("operator_key_file", "operator_api_key_file")
    @classmethod
    def _beside_the_data(cls, file: Path, info: ValidationInfo) -> Path:
        data_dir: Path = info.data.get("data_dir", Path())
        return (data_dir / file).resolve()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load_settings` reads file and environment itself, so that it knows where each value stands."""
        return (init_settings,)


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings of `file` (default: gateway.toml in the data directory, if there), the environment and `given`, the latter winning."""
    said = {name: value for name, value in given.items() if value is not None}
    exported = {**_misspelt(), **EnvSettingsSource(Settings)()}
    path = file or Path({**exported, **said}.get("data_dir", Settings.model_fields["data_dir"].default)) / "gateway.toml"
    written = _from_file(path, must_exist=file is not None)
    in_file = f"in {path}"
    places = {
        **dict.fromkeys(written, in_file),
        **{name: f"from SPLITTALLY_{name.upper()}" for name in exported},
        **{name: f"from {_OPTIONS.get(name, name)}" for name in said},
    }
    settings = settings_of({**written, **exported, **said}, places)
    if places.get("database_url") == in_file and without_secrets(settings.database_url) != settings.database_url:
        _check_private(path)
    return settings


def settings_of(values: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Settings:
    """Settings from loosely typed values; what is not named has its default. `places` says where a value stands, for the answer."""
    wrong = [_unknown(name) for name in sorted(set(values) - set(Settings.model_fields))]
    known = {name: value for name, value in values.items() if name in Settings.model_fields}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        wrong += [_unusable(str(one["loc"][0]), known.get(str(one["loc"][0]))) for one in error.errors(include_url=False)]
    if wrong:
        stated = [f"{text}{_place(name, places or {})}: {remedy}" for name, text, remedy in dict.fromkeys(wrong)]
        raise BadSettings("; ".join(stated))
    return settings


_OF_THE_TESTS = ("depth", "test_postgresql", "main_job_seed")
_OPTIONS = {"data_dir": "--data-dir", "database_url": "--database", "port": "--port"}
_Wrong = tuple[str, str, str]
"""The setting's name, what is wrong with it, and what to do."""


def _misspelt() -> dict[str, str]:
    """Variables with our prefix that are no setting, and not of the tests."""
    prefix = str(Settings.model_config["env_prefix"])
    names = {name.removeprefix(prefix).lower(): value for name, value in os.environ.items() if name.upper().startswith(prefix)}
    return {name: value for name, value in names.items() if name not in Settings.model_fields and name not in _OF_THE_TESTS}


def _unknown(name: str) -> _Wrong:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return name, f"{name} is no setting", f"is {near[0]} meant?" if near else "take it out"


def _unusable(name: str, value: object) -> _Wrong:
    shown = repr(without_secrets(value)) if isinstance(value, str) else repr(value)
    return name, f"{name} is {shown}", f"it must be {Settings.model_fields[name].description}"


def _place(name: str, places: Mapping[str, str]) -> str:
    return f" ({places[name]})" if name in places else ""


def _from_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        path.open("rb").close()  # the source passes over a file that is not there
        return TomlConfigSettingsSource(Settings, path)()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not must_exist:
            return {}
        raise BadSettings(f"{path} cannot be read ({error.strerror}): name a file of settings that this user may read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} is not TOML: {error}") from error


def _check_private(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & FOR_OTHERS:
        raise BadSettings(f"database_url in {path} holds a password, and others may read the file (mode {mode:o}): chmod 600 {path}")
