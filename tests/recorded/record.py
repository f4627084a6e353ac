"""Writes the recorded data anew: `python -m tests.recorded.record [NAME ...]`; the main job's summaries only when they are named."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.recorded import api_description, content_hashes, main_job, problems, signer_lot_acts, signer_requests
from tests.recorded.data_files import write

QUICK: dict[str, Callable[[Path], Any]] = {
    "content_hashes": content_hashes.collect,
    "openapi": api_description.collect,
    "problems": problems.collect,
    "signer_requests": signer_requests.collect,
    "signer_awards": signer_requests.collect_awards,
    "signer_lot_acts": signer_lot_acts.collect,
}
SLOW = ("reduced_main_job", "main_job")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.recorded.record", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(QUICK)}; {', '.join(SLOW)} (minutes); default: all but the last two"
    )
    names = parser.parse_args().names or list(QUICK)
    for name in names:
        if name not in (*QUICK, *SLOW):
            parser.error(f"there is no {name}")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            if name == "reduced_main_job":
                write("main_job/reduced", main_job.collect_reduced(Path(folder)))
            elif name == "main_job":
                for seed in main_job.SEEDS:
                    write(f"main_job/{seed}", main_job.collect(Path(folder), seed))
            else:
                write(name, QUICK[name](Path(folder)))
        print(f"recorded {name}")


if __name__ == "__main__":
    main()
