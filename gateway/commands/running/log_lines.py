"""The log of a serving gateway: whatever texts of others stand in a record, none of its lines can pass for another record."""

from __future__ import annotations

import logging
from typing import TextIO

from gateway.values.printing import printable

_LINE_MOST = 4_000


class SetIn(logging.Formatter):
    """A record's further lines, a traceback's for instance, begin with blanks; no character does more than print."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(printable(line, _LINE_MOST) for line in super().format(record).splitlines())


def log_to(stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SetIn("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
