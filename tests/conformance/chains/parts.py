"""py-evm's chain of any forks with this node's tries and compiler under it: everything as a node seals, rules untouched.

No proof of work is checked: py-evm would need a second library for it, and nothing of the node takes part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth.abc import BlockAPI
from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.vm.base import VM

from node.chain import rlp
from node.chain.trie.ordered import ordered_root
from tests.node.state_tests.variants import Variant

Forks = Sequence[tuple[int, type[VM]]]  # each from its block on


def chain_class(forks: Forks, variant: Variant, chain_id: int = 1) -> Any:
    vms = [(start, vm.configure(consensus_class=NoProofConsensus, _state_class=variant(vm._state_class))) for start, vm in forks]
    return MiningChain.configure(__name__="MixedChain", vm_configuration=tuple(vms), chain_id=chain_id)


def import_block(chain: Any, raw: bytes) -> BlockAPI:
    """Raises for a block that breaks the rules or gives other roots; the list roots are the node's own too."""
    header = _header_of(chain, raw)
    block = chain.get_vm(header).get_block_class()
    decoded = rlp.decode_as(raw, block)
    imported: BlockAPI = chain.import_block(decoded).imported_block
    assert imported.header == decoded.header
    assert ordered_root([item.encode() for item in imported.transactions]) == imported.header.transaction_root
    receipts = [item.encode() for item in imported.get_receipts(chain.chaindb)]
    assert ordered_root(receipts) == imported.header.receipt_root
    return imported


def _header_of(chain: Any, raw: bytes) -> Any:
    """The parent's child, of the shape its fork has: enough to choose the fork's rules."""
    number = int.from_bytes(rlp.decode(raw)[0][8], "big")
    parent = chain.get_block_header_by_hash(rlp.decode(raw)[0][0]) if number else None
    return chain.create_header_from_parent(parent) if parent else chain.get_canonical_head()
