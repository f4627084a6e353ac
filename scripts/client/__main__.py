"""Makes an installable Python client of the API from its description. Uses the standard library alone: what is made needs httpx."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from scripts.client.methods import gateway_module
from scripts.client.shapes import CannotBeMade, shapes_module
from scripts.client.wheel import write_wheel

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = ROOT / "tests" / "recorded" / "data" / "openapi.json"  # a test compares it with what the gateway says of itself
NAME = "splittally_client"
_BY_HAND = Path(__file__).with_name("package")
_INIT = '''"""The Python client of a Splittally gateway: `Gateway(url, api_key)` has a method for every operation of its API."""

from .gateway import Gateway
from .troubles import GatewayTrouble, NotReached, Refused, WrongAnswer

__all__ = ["Gateway", "GatewayTrouble", "NotReached", "Refused", "WrongAnswer"]
'''


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.client", description=__doc__)
    parser.add_argument("--from", dest="description", type=Path, default=DESCRIPTION, metavar="FILE", help="a gateway's /openapi.json")
    parser.add_argument("--output", type=Path, default=Path("var/client"), metavar="DIR", help="where the wheel is put (%(default)s)")
    given = parser.parse_args()
    try:
        wheel = make(json.loads(given.description.read_bytes()), given.output)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, CannotBeMade) as error:
        print(f"no client can be made of {given.description}: {error or type(error).__name__}", file=sys.stderr)
        return 1
    print(f"pip install {wheel}")
    return 0


def make(description: dict[str, Any], folder: Path) -> Path:
    """Writes the client's wheel into a folder, in place of an earlier one."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return write_wheel(folder, NAME, version, modules(description), (ROOT / "LICENSE").read_text())


def modules(description: dict[str, Any]) -> dict[str, str]:
    """The package's files: those made of the description, and those written by hand."""
    remedies = {code: remedy for code, (_, remedy) in tomllib.loads((ROOT / "scripts" / "remedies.toml").read_text())["problems"].items()}
    told = json.dumps(remedies, indent=4, ensure_ascii=False)
    return {
        "__init__.py": _INIT,
        **{path.name: path.read_text() for path in sorted(_BY_HAND.glob("*.py"))},
        "gateway.py": gateway_module(description),
        "shapes.py": shapes_module(description["components"]["schemas"]),
        "remedies.py": f'"""What to do about each code of a problem."""\n\nREMEDIES = {told}\n',
        "py.typed": "",
    }


if __name__ == "__main__":
    sys.exit(main())
