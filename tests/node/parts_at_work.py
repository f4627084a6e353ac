"""`python -m tests.node.parts_at_work FILE ARGUMENTS…` is `python -m node ARGUMENTS…`; FILE then names the sources that were at work."""

import json
import sys
import threading
from pathlib import Path
from types import FrameType

from node.__main__ import main

_at_work: set[str] = set()


def _note(frame: FrameType, event: str, _: object) -> None:
    _at_work.add(frame.f_code.co_filename)


if __name__ == "__main__":
    threading.setprofile(_note)
    sys.setprofile(_note)
    try:
        main(sys.argv[2:], standalone_mode=False)
    finally:
        sys.setprofile(None)
        Path(sys.argv[1]).write_text(json.dumps(sorted(_at_work)))
