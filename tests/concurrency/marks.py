"""The table that the writers mark their numbers in; imported by each of them, so it imports little."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table

MARKS = Table("marks", MetaData(), Column("number", Integer, primary_key=True), Column("seen", Integer), Column("writer", String))
