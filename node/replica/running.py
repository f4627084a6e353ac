"""A replica put together: its data directory, the follower in the producer's place, and the same RPC server."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from node.app import CLIENT_VERSION, listen, serve
from node.chain.checkpoints import Checkpoint
from node.chain.errors import BadGenesis
from node.chain.history import History
from node.chain.pool import Pool
from node.config import DataDirectory, DataDirectoryError
from node.deep_stack import on_deep_stack
from node.importing import importing
from node.opening import sole_user
from node.replica.follower import Follower
from node.replica.primary import Primary, PrimaryUnreachable
from node.rpc.ports import NodeView


@dataclass(frozen=True)
class Trusted:
    """What the replica holds its primary against from the start."""

    genesis_hash: bytes | None = None
    checkpoints: tuple[Checkpoint, ...] = ()


def follow(directory: DataDirectory, host: str, port: int, url: str, trusted: Trusted) -> None:
    """Serves until SIGTERM. Raises BadBlock or BadGenesis, and stops serving, when the primary shows what cannot be true."""
    if directory.key_file.exists():
        raise DataDirectoryError(f"{directory.path} holds the sealer's key: it is a primary's and cannot follow one")
    with listen(host, port) as listening, Primary(url) as primary, _replica(directory, primary, trusted.genesis_hash) as history:
        follower = Follower(history, primary, directory.path / "refused.json", trusted.checkpoints, _stop_serving)
        serve(NodeView(history, Pool(), follower, CLIENT_VERSION), listening, follower)
        if follower.refusal is not None:
            raise follower.refusal


@contextlib.contextmanager
def _replica(directory: DataDirectory, primary: Primary, trusted_genesis: bytes | None) -> Iterator[History]:
    """A replica that holds a chain serves it even while its primary is away; a new one cannot begin without."""
    try:
        genesis = on_deep_stack(primary.genesis)()  # it may answer with JSON nested as deep as it likes
    except PrimaryUnreachable:
        if not directory.is_initialized or not directory.store.exists():
            raise
        with sole_user(directory) as history:
            _check_trusted(history.genesis_hash, trusted_genesis)
            yield history
    else:
        _check_trusted(genesis.genesis_hash, trusted_genesis)
        with importing(directory, genesis) as history:
            yield history


def _check_trusted(genesis_hash: bytes, trusted: bytes | None) -> None:
    if trusted is not None and trusted != genesis_hash:
        raise BadGenesis(f"block 0: its hash is 0x{genesis_hash.hex()}, not the trusted 0x{trusted.hex()}")


def _stop_serving() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
