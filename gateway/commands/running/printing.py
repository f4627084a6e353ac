"""How commands print."""

from __future__ import annotations

import json

import click


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
