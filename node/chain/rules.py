"""The rule set `prague+7951`: Prague, P256VERIFY at 0x100, and block timestamps that may repeat."""

from typing import TYPE_CHECKING, Any

from eth.constants import BLANK_ROOT_HASH
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth_typing import Hash32

from node.chain.bls12_381 import BLS12_381_PRECOMPILES
from node.chain.bn254 import BN254_PRECOMPILES
from node.chain.compiler.computation import HotCodeComputation
from node.chain.mended_rules import MendedRules
from node.chain.modexp import MODEXP_ADDRESS, modexp
from node.chain.p256 import P256VERIFY_ADDRESS, p256verify
from node.chain.time_limit import Pulse
from node.chain.trie.accounts import account_database

RULES = "prague+7951"
TRANSACTION_GAS_MAX = 1 << 24  # EIP-7825
SEALED_SHARE_OF_GAS_LIMIT = 4  # a sealed block holds at most a quarter of the limit, so the base fee never rises
REFUND_QUOTIENT = 5  # EIP-3529
INITCODE_SIZE_MAX = 49_152  # EIP-3860
EMPTY_TRIE_ROOT: bytes = BLANK_ROOT_HASH


class Header(PragueBlockHeader):
    """Prague's header, typed as it is on a chain that starts with Prague."""

    if TYPE_CHECKING:
        base_fee_per_gas: int
        blob_gas_used: int
        excess_blob_gas: int
        withdrawals_root: Hash32
        parent_beacon_block_root: Hash32

        def copy(self, *args: Any, **kwargs: Any) -> "Header": ...


class NodeComputation(HotCodeComputation, PragueComputation):
    _precompiles = {  # noqa: RUF012 (as in its base class)
        **PRAGUE_PRECOMPILES,
        MODEXP_ADDRESS: modexp,
        **BN254_PRECOMPILES,
        **BLS12_381_PRECOMPILES,
        P256VERIFY_ADDRESS: p256verify,
    }


class NodeState(MendedRules, PragueState):
    computation_class = NodeComputation
    account_db_class = staticmethod(account_database)  # type: ignore[assignment]  # only ever called
    pulse: Pulse | None = None  # for code that nobody pays for

    def set_system_contracts(self) -> None:
        """None exist here: EIP-4788, 2935, 7002 and 7251 serve a consensus layer, and without their code do nothing."""


def run_on_py_evm() -> None:
    """In this process its loop and its curves, in place of the compiled code and the faster curves. What it misses stays mended."""
    NodeComputation.hot_code = None
    NodeComputation._precompiles = {**PRAGUE_PRECOMPILES, MODEXP_ADDRESS: modexp, P256VERIFY_ADDRESS: p256verify}


def sealed_gas_max(gas_limit: int) -> int:
    return gas_limit // SEALED_SHARE_OF_GAS_LIMIT
