"""py-evm's account database on pending tries, for the accounts themselves and for each one's storage.

Past states stay readable under their roots. The list of nodes read (py-evm's witness) leaves out those that came from the cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from eth.abc import AccountStorageDatabaseAPI, AtomicDatabaseAPI, DatabaseAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB
from eth.db.backends.base import BaseDB
from eth.db.cache import CacheDB
from eth.db.journal import JournalDB
from eth.rlp.accounts import Account
from eth.typing import JournalDBCheckpoint
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from node.chain import rlp
from node.chain.trie.pending import PendingTrie
from node.chain.trie.source import NodeCache, NodeSource
from node.chain.trie.storage import BatchedStorage


def account_database(db: AtomicDatabaseAPI, state_root: Hash32 = BLANK_ROOT_HASH) -> AccountDB:
    """The switch: batched tries for a store that brings its cache of `nodes`, py-evm's own for one that does not."""
    nodes: NodeCache | None = getattr(db, "nodes", None)
    return AccountDB(db, state_root) if nodes is None else BatchedAccounts(db, state_root, nodes)


class BatchedAccounts(AccountDB):
    """`nodes` may be shared by all that read the same store."""

    def __init__(self, db: AtomicDatabaseAPI, state_root: Hash32 = BLANK_ROOT_HASH, nodes: NodeCache | None = None) -> None:
        super().__init__(db, state_root)
        self._source = NodeSource(db.get, nodes)
        self._batchtrie = self._trie = _AccountTrie(self._source, state_root)  # type: ignore[assignment]
        self._trie_cache = CacheDB(self._trie)
        self._journaltrie = JournalDB(self._trie_cache)
        self._checkpoints: list[JournalDBCheckpoint] = []  # neither committed nor discarded, the outermost first
        self._marked: list[tuple[JournalDBCheckpoint, BatchedStorage]] = []

    def has_root(self, state_root: bytes) -> bool:
        return state_root in (BLANK_ROOT_HASH, self.state_root) or state_root in self._raw_store_db

    def _get_address_store(self, address: Address) -> AccountStorageDatabaseAPI:
        store = self._account_stores.get(address)
        if store is None:
            store = BatchedStorage(self._raw_store_db, self._source, self._get_storage_root(address), address)
            self._account_stores[address] = store
        return store

    def _get_account(self, address: Address, from_journal: bool = True) -> Account:
        if from_journal and address in self._account_cache:
            return self._account_cache[address]
        account = _decoded(self._get_encoded_account(address, from_journal))
        if from_journal:
            self._account_cache[address] = account
        return account

    def _set_account(self, address: Address, account: Account) -> None:
        self._account_cache[address] = account
        nonce, balance = rlp.number(account.nonce), rlp.number(account.balance)
        self._journaltrie[address] = rlp.list_of(nonce + balance + rlp.string(account.storage_root) + rlp.string(account.code_hash))

    # Checkpoints: py-evm tells each storage of each, which is quadratic where many contracts write and many calls follow.
    # Here a storage hears of the innermost one before it is written to, and of its end only if that is a discard.

    def record(self) -> JournalDBCheckpoint:
        checkpoint = self._journaldb.record()
        self._journaltrie.record(checkpoint)
        self._journal_accessed_state.record(checkpoint)
        self._checkpoints.append(checkpoint)
        return checkpoint

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        self._journaldb.discard(checkpoint)
        self._journaltrie.discard(checkpoint)
        self._journal_accessed_state.discard(checkpoint)
        self._account_cache.clear()
        self._end(checkpoint)
        while self._marked and self._marked[-1][0] >= checkpoint:
            _, store = self._marked.pop()
            store.discard(checkpoint)

    def commit(self, checkpoint: JournalDBCheckpoint) -> None:
        self._journaldb.commit(checkpoint)
        self._journaltrie.commit(checkpoint)
        self._journal_accessed_state.commit(checkpoint)
        self._end(checkpoint)

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        self._mark(address)
        super().set_storage(address, slot, value)

    def _wipe_storage(self, address: Address) -> None:
        self._mark(address)
        super()._wipe_storage(address)

    def lock_changes(self) -> None:
        super().lock_changes()
        self._marked.clear()

    def _mark(self, address: Address) -> None:
        store = self._get_address_store(address)
        assert isinstance(store, BatchedStorage)
        if self._checkpoints and store.mark(self._checkpoints[-1]):
            self._marked.append((self._checkpoints[-1], store))

    def _end(self, checkpoint: JournalDBCheckpoint) -> None:
        """With all that are inside it."""
        while self._checkpoints and self._checkpoints[-1] >= checkpoint:
            self._checkpoints.pop()


@lru_cache(maxsize=4_096)
def _decoded(encoded: bytes) -> Account:
    """Immutable, so one may stand for all that are equal."""
    return rlp.decode_as(encoded, Account) if encoded else Account()


class _AccountTrie(BaseDB):
    """Addresses to RLP accounts: what AccountDB asks of its HashTrie and of the batch of nodes under it."""

    def __init__(self, source: NodeSource, state_root: bytes) -> None:
        self._trie = PendingTrie(source, state_root)

    def __getitem__(self, address: bytes) -> bytes:
        return self._trie.get(keccak(address))

    def __setitem__(self, address: bytes, account: bytes) -> None:
        self._trie.put(keccak(address), account)

    def __delitem__(self, address: bytes) -> None:
        self._trie.put(keccak(address), b"")

    def _exists(self, address: bytes) -> bool:
        return bool(self[address])

    @property
    def root_hash(self) -> bytes:
        return self._trie.root

    @root_hash.setter
    def root_hash(self, root: bytes) -> None:
        self._trie.root = root

    @contextmanager
    def squash_changes(self) -> Iterator["_AccountTrie"]:
        yield self  # changes wait for the root anyway

    def commit_to(self, db: DatabaseAPI, apply_deletes: bool) -> None:
        assert not apply_deletes, "past states stay readable"
        self._trie.commit_to(db)
