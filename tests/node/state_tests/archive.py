"""The Ethereum state tests, read from the archive beside the checkout. They are no part of the project."""

import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ARCHIVE = Path(__file__).parents[3].parent / "shared" / "data" / "state_tests" / "state_tests.tar.gz"
FORK = "Cancun"  # the one the archive has post-states of


@dataclass(frozen=True)
class Post:
    """One choice of data, gas and value, and what must come of it."""

    name: str
    raw_transaction: bytes
    state_root: bytes
    logs_hash: bytes


@dataclass(frozen=True)
class StateTest:
    """A world, a header's fields, and the transactions to run on it, each by itself."""

    world: dict[str, Any]
    environment: dict[str, str]
    posts: tuple[Post, ...]


def require_archive() -> None:
    if ARCHIVE.exists():
        return
    reason = f"the Ethereum state tests are not beside the checkout (../{'/'.join(ARCHIVE.parts[-4:])})"
    if os.environ.get("STATE_TESTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def state_tests(folder: str) -> Iterator[StateTest]:
    for path, text in _files().get(folder, {}).items():
        for name, document in sorted(json.loads(text).items()):
            posts = tuple(_post(path, name, item) for item in document["post"].get(FORK, ()))
            yield StateTest(document["pre"], document["env"], posts)


def folders() -> list[str]:
    return sorted(_files())


@cache
def _files() -> dict[str, dict[str, bytes]]:
    """Folder → file name → JSON, both sorted."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in sorted(archive, key=lambda item: item.name):
            path = PurePosixPath(member.name)
            content = archive.extractfile(member)
            name = "/".join(path.parts[1:])
            if path.suffix == ".json" and content is not None:
                found.setdefault("/".join(path.parts[1:-1]), {})[name] = content.read()
    return found


def _post(path: str, name: str, item: dict[str, Any]) -> Post:
    chosen = item["indexes"]
    return Post(
        name=f"{path.removesuffix('.json')}:{name} d{chosen['data']} g{chosen['gas']} v{chosen['value']}",
        raw_transaction=bytes.fromhex(item["txbytes"][2:]),
        state_root=bytes.fromhex(item["hash"][2:]),
        logs_hash=bytes.fromhex(item["logs"][2:]),
    )
