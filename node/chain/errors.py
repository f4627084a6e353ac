"""Refusals of the chain, as types. The RPC layer has one table that turns them into JSON-RPC errors."""


class ChainError(Exception):
    """A request the chain refuses; the message is meant for the caller."""


class NotOnChain(ChainError):
    """A block, transaction or state that this chain does not have."""


class BeyondHead(ChainError):
    """A range that reaches past the head: what is not there yet is another answer than nothing."""


class BadGenesis(ChainError):
    """A genesis configuration that breaks the rules."""


class TransactionRefused(ChainError):
    """A transaction that cannot enter the pool or a block."""


class MalformedTransaction(TransactionRefused):
    pass


class InitcodeTooLarge(TransactionRefused):
    """A call that nobody signed would create a contract from more bytes than one may have (EIP-3860)."""


class WrongChain(TransactionRefused):
    pass


class InvalidSender(TransactionRefused):
    pass


class NonceTooLow(TransactionRefused):
    pass


class NonceTooHigh(TransactionRefused):
    pass


class InsufficientFunds(TransactionRefused):
    pass


class IntrinsicGasTooLow(TransactionRefused):
    pass


class GasAboveLimit(TransactionRefused):
    pass


class FeeTooLow(TransactionRefused):
    pass


class AlreadyKnown(TransactionRefused):
    pass


class ReplacementUnderpriced(TransactionRefused):
    pass


class PoolFull(TransactionRefused):
    pass


class ExecutionReverted(ChainError):
    """The code ran and reverted. `data` is the revert data, whole."""

    def __init__(self, data: bytes, reason: str | None = None) -> None:
        super().__init__("execution reverted" if reason is None else f"execution reverted: {reason}")
        self.data = data


class ExecutionFailed(ChainError):
    """The code ran out of gas or hit an invalid instruction."""


class TooMuch(ChainError):
    """A request over a limit on range, size or gas."""


class TooBusy(ChainError):
    """Others ask for so much that this request has no place: later it may."""


class OutOfTime(ChainError):
    """Code that nobody pays for ran too long."""


class ClockBehind(ChainError):
    """The wall clock stands before the head's timestamp: no block can be sealed until it catches up."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the wall clock is {seconds} s behind the head block; blocks wait for it")
        self.seconds = seconds


class BadTimestamp(ChainError):
    """A sandbox time before the head's timestamp."""


class BadBlock(ChainError):
    """A block that does not follow from its parent under the chain's rules."""


class ExecutionCrashed(ChainError):
    """The EVM itself failed on a transaction: a defect, not an outcome. No block may hold it."""

    def __init__(self, transaction_hash: bytes) -> None:
        super().__init__(f"the EVM crashed on transaction 0x{transaction_hash.hex()}")
        self.transaction_hash = transaction_hash


class StoreFailed(ChainError):
    """The disk refused a write or read (full, read-only, broken). Nothing of that write was kept."""
