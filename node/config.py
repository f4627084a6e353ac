"""A node's data directory: genesis.json, the sealer's key, the store, and a lock that keeps a second node out."""

import contextlib
import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from eth_keys.datatypes import PrivateKey
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from node.chain.errors import BadGenesis, ChainError
from node.chain.genesis import GenesisConfig, canonical_json, check_config, parse_config
from node.store.begun import holds_a_store, note_of
from node.store.database import flush_names

DEFAULT_CHAIN_ID = 7_951
OPERATOR_FUNDS_WEI = 10**27
FOR_OTHERS = 0o077
SEALER_FUNDS_WEI = 1  # keeps the sealer's account from being created and cleared by blocks that pay it nothing


class DataDirectoryError(ChainError):
    """A data directory that cannot be used, and why."""


@dataclass(frozen=True)
class DataDirectory:
    path: Path

    @property
    def genesis_file(self) -> Path:
        return self.path / "genesis.json"

    @property
    def key_file(self) -> Path:
        return self.path / "sealer.key"

    @property
    def next_key_file(self) -> Path:
        """Of the sealer that is about to take over."""
        return self.path / "next-sealer.key"

    @property
    def store(self) -> Path:
        return self.path / "chain"

    @property
    def repaired_store(self) -> Path:
        """In the making."""
        return self.path / "chain.repaired"

    @property
    def damaged_store(self) -> Path:
        """What a repair has put aside."""
        return self.path / "chain.damaged"

    @property
    def is_initialized(self) -> bool:
        try:
            self.genesis_file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise DataDirectoryError(f"{self.genesis_file} cannot be read: {error.strerror}") from error
        return True

    def initialize(self, *, chain_id: int, sandbox: bool, operators: tuple[Address, ...], timestamp: int) -> GenesisConfig:
        """Writes a new genesis and sealer key. Raises DataDirectoryError if there is a chain already, or what is left of one.

        Stopped at any moment, it leaves a directory that can be initialized again, or one that runs (`finish_initialization`).
        """
        lock = self.lock()
        try:
            if self.is_initialized:
                raise DataDirectoryError(f"{self.path} already holds a chain")
            self._check_nothing_is_left()
            self.path.chmod(0o700)
            key = PrivateKey(secrets.token_bytes(32))
            sealer = Address(key.public_key.to_canonical_address())
            funds = {sealer: SEALER_FUNDS_WEI} | dict.fromkeys(operators, OPERATOR_FUNDS_WEI)
            config = GenesisConfig(
                chain_id=chain_id,
                sandbox=sandbox,
                sealer=sealer,
                allocations=tuple(sorted(funds.items())),
                timestamp=timestamp,
                random=secrets.token_bytes(32),
            )
            check_config(config)
            _write_aside(self.key_file, _key_line(key))
            self.write_genesis(config)  # from here on it is a chain's directory
            self.finish_initialization()
        finally:
            os.close(lock)
        return config

    def finish_initialization(self) -> None:
        """Puts the sealer's key in its place, if an `init` that was stopped has left it aside. For the lock's holder."""
        aside = _aside(self.key_file)
        if aside.exists() and not self.key_file.exists():
            with contextlib.suppress(BadGenesis):  # torn: it never was a chain's
                if _read_key(aside).public_key.to_canonical_address() == self.genesis().sealer:
                    _put_in_place(aside, self.key_file)

    def write_key(self, key: PrivateKey) -> None:
        _write_private(self.key_file, _key_line(key))

    def write_next_key(self, key: PrivateKey) -> None:
        _write_private(self.next_key_file, _key_line(key))

    def write_genesis(self, config: GenesisConfig) -> None:
        """Without a sealer's key beside it, the directory can follow a chain, but not continue it."""
        _write_private(self.genesis_file, canonical_json(config) + b"\n")

    def genesis(self) -> GenesisConfig:
        if not self.is_initialized:
            self._check_nothing_is_left()
            raise DataDirectoryError(f"{self.path} holds no chain; create one with `init --data {self.path}`")
        try:
            return parse_config(self.genesis_file.read_bytes().strip())
        except OSError as error:
            raise DataDirectoryError(f"{self.genesis_file} cannot be read: {error.strerror}") from error

    def sealer_key(self) -> PrivateKey:
        return _read_key(self.key_file)

    def key_of(self, sealer: bytes) -> PrivateKey:
        """The sealer's key, put in its place if a `sealer rotate` that was stopped has left it beside. For the lock's holder.

        If neither file holds it, what stands in the key's place is returned."""
        key = self.sealer_key()
        if key.public_key.to_canonical_address() != sealer and self.next_key_file.exists():
            following = _read_key(self.next_key_file)
            if following.public_key.to_canonical_address() == sealer:
                _put_in_place(self.next_key_file, self.key_file)
                return following
        return key

    def _check_nothing_is_left(self) -> None:
        """Without genesis.json. A `chain` with no store in it is a place made for one."""
        left = [file.name for file in (self.key_file, note_of(self.store), self.damaged_store) if file.exists()]
        left += [store.name for store in (self.store, self.repaired_store) if holds_a_store(store)]
        if left:
            raise DataDirectoryError(
                f"{self.path} holds {', '.join(left)} but no genesis.json: copy that back from a backup or a replica; "
                "nothing was changed. A new chain is begun in a new directory"
            )

    def lock(self) -> int:
        """Held until the process ends, however it ends. Raises DataDirectoryError if another node holds it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryError(f"{self.path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise DataDirectoryError(f"{self.path} is in use by another node (process {holder})") from error
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(handle)
            raise DataDirectoryError(f"{self.path} cannot be written: {error.strerror}") from error
        return handle


def _key_line(key: PrivateKey) -> bytes:
    return b"0x" + key.to_bytes().hex().encode() + b"\n"


def _read_key(file: Path) -> PrivateKey:
    try:
        with file.open(encoding="ascii") as stream:
            mode = os.fstat(stream.fileno()).st_mode & 0o777
            if mode & FOR_OTHERS:
                raise DataDirectoryError(f"the sealer key {file} may be read by others (mode {mode:o}): chmod 600 {file}")
            return PrivateKey(bytes.fromhex(stream.read().strip().removeprefix("0x")))
    except (OSError, ValueError, ValidationError) as error:
        raise BadGenesis(f"the sealer key {file} cannot be read: {error}") from error


def _aside(path: Path) -> Path:
    return path.with_suffix(".new")


def _write_private(path: Path, content: bytes) -> None:
    """Written aside, fsynced and renamed, so that a file is there whole or not at all."""
    _write_aside(path, content)
    _put_in_place(_aside(path), path)


def _write_aside(path: Path, content: bytes) -> None:
    try:
        handle = os.open(_aside(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DataDirectoryError(f"{path} cannot be written: {error.strerror}") from error


def _put_in_place(aside: Path, path: Path) -> None:
    try:
        aside.rename(path)
        flush_names(path.parent)
    except OSError as error:
        raise DataDirectoryError(f"{path} cannot be written: {error.strerror}") from error
