"""Brings a database to the newest schema; published versions never change, a change of the tables is a new version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from gateway.store.engine import UnfitDatabase, check_fit


class UnknownSchema(UnfitDatabase):
    """The database was made by another version, whose tables no migration here leads from."""


class EarlierLedger(UnknownSchema):
    """The database belongs to a ledger of an earlier contract, which this version can neither write to nor read."""


class SchemaBehind(UnfitDatabase):
    """Migrations here lead from the database's tables to the newest, and were not applied yet."""


_SIGNED_ROOTS = "whose batches carry a root that the brand signed"
_EARLIER = {
    "0002": _SIGNED_ROOTS,
    "0003": _SIGNED_ROOTS,
    "0004": "whose brands the operator's account alone could re-key",
    "0005": "that was the register of its brands and members itself",
}
"""What a ledger is that was deployed with the schema of a revision."""


def migrate(engine: Engine) -> None:
    """Applies every migration that the database does not have yet, all of them or none. Raises UnfitDatabase, for one UnknownSchema."""
    with engine.connect() as connection:
        configuration = configuration_for()
        _check_known(connection, configuration)
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def check_schema(engine: Engine) -> None:
    """Raises UnfitDatabase, for one UnknownSchema or SchemaBehind, unless the database serves with the newest schema; changes nothing."""
    configuration = configuration_for()
    with engine.connect() as connection:
        _check_known(connection, configuration)
        here = MigrationContext.configure(connection).get_current_heads()
    newest = ScriptDirectory.from_config(configuration).get_heads()
    if set(here) != set(newest):
        raise SchemaBehind(
            f"the database {engine.url.database} has the schema {', '.join(here) or 'of nothing yet'}, "
            f"newest is {', '.join(newest)}: run `splittally init`, which brings it there"
        )


def _check_known(connection: Connection, configuration: Config) -> None:
    check_fit(connection)
    here = MigrationContext.configure(connection).get_current_heads()
    earlier = next((_EARLIER[revision] for revision in here if revision in _EARLIER), None)
    deployed = earlier and connection.scalar(text("SELECT count(*) FROM coalition WHERE code_hash IS NOT NULL"))
    connection.rollback()
    if deployed:
        raise EarlierLedger(
            f"the database {connection.engine.url.render_as_string()} is of a ledger {earlier}, "
            "and a contract is never replaced in place. Nothing was changed. Open it with the version that made it, which keeps the ledger "
            "readable, or begin with a new data directory and a new node."
        )
    known = {script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()}
    unknown = sorted(set(here) - known)
    if unknown:
        raise UnknownSchema(
            f"the database {connection.engine.url.database} has the schema {', '.join(unknown)}, which this version does not "
            f"know (it knows {min(known)} to {max(known)}). Nothing was changed. Open it with the version that made it, "
            "or begin with a new data directory; the ledger itself stays readable with that version."
        )


def configuration_for() -> Config:
    """Alembic's configuration for these migrations."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    configuration.set_main_option("path_separator", "os")
    return configuration
