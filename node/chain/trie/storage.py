"""py-evm's account storage on pending tries. Journals, reverts and SELFDESTRUCT's wiping stay py-evm's own."""

from bisect import bisect_left

from eth.abc import AtomicDatabaseAPI, DatabaseAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.backends.base import BaseDB
from eth.db.cache import CacheDB
from eth.db.journal import JournalDB
from eth.db.storage import AccountStorageDB
from eth.typing import JournalDBCheckpoint
from eth.vm.interrupt import MissingStorageTrieNode
from eth_hash.auto import keccak
from eth_typing import Address, Hash32
from eth_utils.encoding import int_to_big_endian
from trie.exceptions import MissingTrieNode

from node.chain import rlp
from node.chain.trie.pending import PendingTrie
from node.chain.trie.source import NodeSource


class BatchedStorageLookup(BaseDB):
    """Slots (big-endian, unpadded) to RLP values; stands in for py-evm's StorageLookup."""

    def __init__(self, source: NodeSource, storage_root: Hash32, address: Address) -> None:
        self._source = source
        self._address = address
        self._trie = PendingTrie(source, storage_root)
        self._wiped: list[PendingTrie] = []  # what a revert brings back, one for each deletion of the account

    def __getitem__(self, slot: bytes) -> bytes:
        try:
            return self._trie.get(_key_of(slot))
        except MissingTrieNode as missing:
            raise self._missing(missing) from missing

    def __setitem__(self, slot: bytes, value: bytes) -> None:
        self._trie.put(_key_of(slot), value)

    def __delitem__(self, slot: bytes) -> None:
        self._trie.put(_key_of(slot), b"")

    def _exists(self, slot: bytes) -> bool:
        return bool(self[slot])

    @property
    def has_changed_root(self) -> bool:
        return self._trie.is_changed

    def get_changed_root(self) -> Hash32:
        try:
            return Hash32(self._trie.root)
        except MissingTrieNode as missing:
            raise self._missing(missing) from missing

    def commit_to(self, db: DatabaseAPI) -> None:
        self._trie.commit_to(db)
        self._wiped = []

    def new_trie(self) -> int:
        """Starts from nothing. Returns how many tries were put aside so far, the old one included."""
        self._wiped.append(self._trie)
        self._trie = PendingTrie(self._source, BLANK_ROOT_HASH)
        return len(self._wiped)

    def rollback_trie(self, trie_index: int) -> None:
        """Goes back to what stood before the `trie_index + 1`th call of new_trie."""
        self._trie = self._wiped[trie_index]
        del self._wiped[trie_index:]

    def _missing(self, missing: MissingTrieNode) -> MissingStorageTrieNode:
        node_hash, root, key = (Hash32(bytes(item)) for item in missing.args[:3])
        return MissingStorageTrieNode(node_hash, root, key, None, self._address)


class BatchedStorage(AccountStorageDB):
    def __init__(self, db: AtomicDatabaseAPI, source: NodeSource, storage_root: Hash32, address: Address) -> None:
        super().__init__(db, storage_root, address)
        self._storage_lookup = BatchedStorageLookup(source, storage_root, address)  # type: ignore[assignment]
        self._storage_cache = CacheDB(self._storage_lookup)
        self._locked_changes = JournalDB(self._storage_cache)
        self._journal_storage = JournalDB(self._locked_changes)
        self._marks: list[JournalDBCheckpoint] = []  # ascending

    def mark(self, checkpoint: JournalDBCheckpoint) -> bool:
        """To be told before a write, of the innermost checkpoint; whether the storage did not know one as late."""
        if self._marks and self._marks[-1] >= checkpoint:
            return False
        self.record(checkpoint)
        self._marks.append(checkpoint)
        return True

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        """Takes back what was written since: whatever the first mark from there on has seen."""
        first = bisect_left(self._marks, checkpoint)
        if first < len(self._marks):
            super().discard(self._marks[first])
            del self._marks[first:]

    def lock_changes(self) -> None:
        super().lock_changes()
        self._marks.clear()

    def get(self, slot: int, from_journal: bool = True) -> int:
        """As py-evm's, but that a value is decoded here: an RLP number under 2^256 is one byte, or a byte of length and the number."""
        self._accessed_slots.add(slot)
        changes = self._journal_storage if from_journal else self._locked_changes
        try:
            value = changes[int_to_big_endian(slot)]
        except MissingStorageTrieNode:
            raise
        except KeyError:
            return 0
        return int.from_bytes(value if len(value) == 1 else value[1:], "big")

    def set(self, slot: int, value: int) -> None:
        if value:
            self._journal_storage[int_to_big_endian(slot)] = rlp.number(value)
        else:
            super().set(slot, value)


def _key_of(slot: bytes) -> bytes:
    return keccak(slot.rjust(32, b"\0"))
