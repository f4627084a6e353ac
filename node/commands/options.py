"""Options that several commands share."""

from pathlib import Path

import click

data_option = click.option("--data", type=click.Path(path_type=Path), required=True, help="The node's data directory.")
