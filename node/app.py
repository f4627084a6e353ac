"""The node put together: data directory, store, chain, producer and RPC server. Nothing else builds these."""

import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import uvicorn
from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError

from node.chain.errors import ChainError
from node.chain.history import History, sealers_of
from node.chain.pool import Pool
from node.config import DataDirectory
from node.deep_stack import STACK_BYTES
from node.producer import BlockProducer
from node.rpc.ports import NodeView
from node.rpc.server import BODY_BYTES_MAX, HEAD_BYTES_MAX, application, is_loopback_name
from node.store.begun import check_not_lost
from node.store.database import RocksDb
from node.store.recovery import open_history

CLIENT_VERSION = f"splittally-node/0.1.0/python{sys.version_info.major}.{sys.version_info.minor}"
SWITCH_INTERVAL_SECONDS = 0.001  # how long a block in the making may keep a read waiting for the interpreter
GARBAGE_THRESHOLDS = (50_000, 20, 20)  # a batch makes objects by the hundred thousand, nearly none of them in cycles

log = logging.getLogger(__name__)


class AddressError(ChainError):
    """An address the node may not listen on."""


class SandboxKeysError(ChainError):
    """A file of unlocked accounts that cannot be used."""


def run(directory: DataDirectory, host: str, port: int, *, batched_trie: bool = True) -> None:
    """Serves until SIGTERM or SIGINT. Prints one JSON line on stdout once it answers."""
    with listen(host, port) as listening, open_chain(directory, batched_trie=batched_trie) as history:
        pool = Pool()
        producer = BlockProducer(history, pool, directory.sealer_key(), time.time)
        keys = _sandbox_keys(directory, sandbox=history.config.sandbox)
        serve(NodeView(history, pool, producer, CLIENT_VERSION, keys), listening, producer)


@contextlib.contextmanager
def tuned_interpreter() -> Iterator[None]:
    """Blocks give way to reads, and the collector of cycles looks seldom, never at what was there from the start.

    For the time the node serves: whoever makes big cycles otherwise wants them collected as usual.
    """
    before = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before[0])
        gc.set_threshold(*before[1])


class Writer(Protocol):
    """The one thread that adds blocks: a producer, or a replica's follower."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


def serve(node: NodeView, listening: socket.socket, writer: Writer) -> None:
    threading.stack_size(STACK_BYTES)
    config = node.history.config
    bound = listening.getsockname()
    ready = {
        "rpc_url": f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}",
        "chain_id": config.chain_id,
        "genesis_hash": "0x" + node.history.genesis_hash.hex(),
        "coalition_id": "0x" + config.coalition_id.hex(),
        "sealer": "0x" + node.history.sealers.last.hex(),
        "sandbox": config.sandbox,
        "head": int(node.history.head.block_number),
    }
    settings = uvicorn.Config(
        application(node),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        lifespan="off",
        http="h11",  # of the two that uvicorn has, the one that bounds headers
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        ws="websockets-sansio",
        ws_max_size=BODY_BYTES_MAX,
        ws_per_message_deflate=False,
    )
    with tuned_interpreter():
        _Server(settings, ready, writer).run(sockets=[listening])


@contextlib.contextmanager
def open_chain(directory: DataDirectory, *, batched_trie: bool = True) -> Iterator[History]:
    """The chain of a data directory, which no other process may use meanwhile. Its sealer begins it here, once."""
    config = directory.genesis()
    lock = directory.lock()
    try:
        directory.finish_initialization()
        directory.sealer_key()  # one that cannot be read is refused before the store is touched
        check_not_lost(directory.store)
        with contextlib.closing(RocksDb(directory.store)) as store:
            key = directory.key_of(sealers_of(store, config).last)
            yield open_history(store, config, key, time.time(), may_begin=True, batched_trie=batched_trie)
    finally:
        os.close(lock)


def _sandbox_keys(directory: DataDirectory, *, sandbox: bool) -> tuple[bytes, ...]:
    """One private key a line. A chain that is no sandbox refuses to start beside such a file."""
    file = directory.path / "sandbox.keys"
    if not file.exists():
        return ()
    if not sandbox:
        raise SandboxKeysError(f"{file}: only a sandbox chain signs for its clients")
    try:
        return tuple(PrivateKey(bytes.fromhex(line.removeprefix("0x"))).to_bytes() for line in file.read_text("ascii").split())
    except (OSError, ValueError, ValidationError) as error:
        raise SandboxKeysError(f"{file} cannot be read: {error}") from error


class _Server(uvicorn.Server):
    """Says when it is ready, and ends with status 0 when asked to stop. The writer works while signals are caught."""

    def __init__(self, settings: uvicorn.Config, ready: dict[str, object], writer: Writer) -> None:
        super().__init__(settings)
        self._ready = ready
        self._writer = writer

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps(self._ready), flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        self._writer.start()
        try:
            yield
        finally:
            self._writer.stop()
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    if not is_loopback_name(host):
        raise AddressError(f"the node listens on loopback only; {host} is refused")
    name = host.strip("[]")  # as an IPv6 address stands in a URL
    with contextlib.ExitStack() as unless_bound:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
            listening = unless_bound.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError as error:
            remedy = "end what uses it, or choose another --port (0: a free one)"
            raise AddressError(f"cannot listen on {name}, port {port}: {error.strerror}; {remedy}") from error
        unless_bound.pop_all()
    return listening
