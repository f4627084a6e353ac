"""Options that commands share, and the settings' places as they were given. Light: help is printed from here without the gateway itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

LARGEST = 2**63 - 1  # what both databases hold
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
as_csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print CSV: amounts in minor units, a header row.")
brand_option = click.option("--brand", "brand_id", type=click.IntRange(1, LARGEST), required=True, help="The brand's id.")
config_option = click.option("--config", type=click.Path(path_type=Path), help="Settings in TOML.")


@dataclass(frozen=True, slots=True)
class SettingsOptions:
    """What the command line says of the settings, before any is read."""

    config: Path | None = None
    data_dir: Path | None = None
    database_url: str | None = None
