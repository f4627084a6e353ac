"""Draws up a migration from the difference between the migrations and the tables. Look through what it wrote before committing.

`--first` draws up the first migration afresh; only for as long as no version was published.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from gateway.schema import metadata
from gateway.store.migrations import configuration_for

ROOT = Path(__file__).resolve().parent.parent
FIRST = 2  # 0001 was the first form of the tables, which nothing leads from
VERSIONS = ROOT / "gateway" / "store" / "migrations" / "versions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message")
    parser.add_argument("--first", action="store_true")
    arguments = parser.parse_args()
    if arguments.first:
        for old in VERSIONS.glob("*.py"):
            old.unlink()
    number = f"{len(list(VERSIONS.glob('*.py'))) + FIRST:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.sqlite3")
        configuration = configuration_for()
        configuration.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with engine.connect() as connection:
            configuration.attributes.update(connection=connection, metadata=metadata())
            if not arguments.first:
                command.upgrade(configuration, "head")
            command.revision(configuration, message=arguments.message, autogenerate=True, rev_id=number)
        engine.dispose()
    written = [str(path) for path in VERSIONS.glob(f"{number}_*.py")]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *written], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "check", "--fix", "--quiet", *written], check=True)
    print("\n".join(written))


if __name__ == "__main__":
    main()
