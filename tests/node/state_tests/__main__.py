"""Runs the gate by hand, a line for each folder: python -m tests.node.state_tests [folder ...]"""

import sys
import time

from tests.node.state_tests.archive import folders, state_tests
from tests.node.state_tests.gate import Findings, run_gate


def main(*chosen: str) -> int:
    failed = False
    for folder in chosen or folders():
        findings, started = Findings(), time.monotonic()
        for test in state_tests(folder):
            run_gate(test, findings)
        print(f"{folder}: {findings.posts} posts ({len(findings.long_posts)} long) in {time.monotonic() - started:.1f} s", flush=True)
        for title in ("stock_misses", "missed", "differs"):
            for name in getattr(findings, title):
                print(f"  {title}: {name}", flush=True)
        failed = failed or bool(findings.missed or findings.differs)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
