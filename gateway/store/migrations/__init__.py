"""Brings a database to the newest schema; published versions never change, a change of the tables is a new version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def migrate(engine: Engine) -> None:
    """Applies every migration that the database does not have yet, all of them or none."""
    with engine.connect() as connection:
        configuration = configuration_for()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def configuration_for() -> Config:
    """Alembic's configuration for these migrations."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    configuration.set_main_option("path_separator", "os")
    return configuration
