"""Runs the messages of transactions on revm, for verify_chain.py's fast mode. Needs pyrevm; uses nothing of the node or the gateway.

The state belongs to the execution specs. revm holds a copy of it, is given one message at a time, and what the message changed goes back to
the specs. pyrevm keeps accounts warm between messages and has no list of changes, so each message runs in a snapshot that is read as text
and then undone. NotForRevm is raised for what revm's Cancun lacks of `prague+7951` and pyrevm cannot be told (base fee, block hashes).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

pyrevm: Any = importlib.import_module("pyrevm")  # its stubs are behind it

NEW_IN_PRAGUE = {number.to_bytes(20, "big") for number in (*range(0x0B, 0x12), 0x100)}  # BLS12-381 (EIP-2537), P256VERIFY (EIP-7951)
DELEGATION = bytes.fromhex("ef0100")  # EIP-7702
GASPRICE, BLOCKHASH, BASEFEE, CREATE, CREATE2 = 0x3A, 0x40, 0x48, 0xF0, 0xF5
NOT_TOLD = (BLOCKHASH, BASEFEE, CREATE, CREATE2)  # creations, because their code is in memory and cannot be looked through
PUSH1, PUSH32 = 0x60, 0x7F
GAS_PER_TRANSACTION, GAS_PER_CREATION, GAS_PER_INIT_WORD, GAS_PER_BYTE, GAS_PER_ZERO = 21_000, 32_000, 2, 16, 4

_ACCOUNT = re.compile(r"0x([0-9a-f]{40}): Account \{ info: AccountInfo \{ balance: (\d+), nonce: (\d+), code_hash: 0x[0-9a-f]{64}, code: ")
_CODE = re.compile(r"Some\(Bytecode \{ bytecode: 0x([0-9a-f]*), state: (?:Analysed \{ len: (\d+)|Raw)")
_SLOT = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: (\d+), present_value: (\d+) \}")
_STATUS = re.compile(r"status: AccountStatus\(([^)]*)\)")


class NotForRevm(Exception):
    """The message touches what revm does not know as these rules have it."""


@dataclass(frozen=True)
class Changed:
    """An account that a message touched, as it is now, and the slots whose value is another now."""

    address: bytes
    balance: int
    nonce: int
    code: bytes | None  # of a contract created by this message, None otherwise
    slots: tuple[tuple[int, int], ...]
    destroyed: bool


@dataclass(frozen=True)
class Ran:
    succeeded: bool
    gas_left: int
    refund: int  # as used up to revm's own limit of a fifth
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    changed: tuple[Changed, ...]


@dataclass(frozen=True)
class Call:
    """One message. `to` is None for a creation; `gas` is what is left of the transaction's after its intrinsic gas."""

    sender: bytes
    to: bytes | None
    data: bytes
    value: int
    gas: int
    gas_price: int
    warm_accounts: frozenset[bytes]
    warm_slots: frozenset[tuple[bytes, int]]


class Revm:
    """`code_of` is asked for the code of accounts that revm loads."""

    def __init__(self, chain_id: int, gas_limit: int, code_of: Callable[[bytes], bytes]) -> None:
        cfg = pyrevm.CfgEnv(chain_id=chain_id)
        self._evm = pyrevm.EVM(pyrevm.Env(cfg=cfg), gas_limit=gas_limit, spec_id="CANCUN")
        self._code_of = code_of
        self._unfit: dict[bytes, bool] = {}

    def begin_block(self, environment: Any) -> None:
        self._evm.set_block_env(
            pyrevm.BlockEnv(
                number=int(environment.number),
                coinbase=_hex(environment.coinbase),
                timestamp=int(environment.time),
                prevrandao=bytes(environment.prev_randao),
                gas_limit=int(environment.block_gas_limit),
                excess_blob_gas=0,
            )
        )

    def put_account(self, address: bytes, balance: int, nonce: int, code: bytes) -> None:
        info = pyrevm.AccountInfo(balance=balance, nonce=nonce, code=code) if code else pyrevm.AccountInfo(balance=balance, nonce=nonce)
        self._evm.insert_account_info(_hex(address), info)

    def put_slots(self, address: bytes, slots: Iterable[tuple[int, int]]) -> None:
        evm, name = self._evm, _hex(address)
        for slot, value in slots:
            checkpoint = evm.snapshot()
            evm.insert_account_storage(name, slot, value)  # of an account not loaded: the value is kept below all snapshots
            evm.revert(checkpoint)  # it is loaded now: not for long

    def run(self, call: Call) -> Ran:
        """Leaves revm's copy as it was: what changed is put there by the caller, once it has taken it over. Raises NotForRevm."""
        if call.to is None and _uses(call.data, GASPRICE, *NOT_TOLD):
            raise NotForRevm("it runs creation code that asks for what revm is not told")
        intrinsic = _intrinsic_gas(call)
        checkpoint = self._evm.snapshot()
        try:
            self._warm(call)
            self._send(call, intrinsic + call.gas)
            result = self._evm.result
            changed = tuple(self._loaded(self._evm.journal_str))
        finally:
            self._evm.revert(checkpoint)
        used, refund = result.gas_used, result.gas_refunded
        if refund and call.warm_slots | call.warm_accounts and refund >= (used + refund) // 5:
            raise NotForRevm("its refund is limited by gas that revm was not told of")
        logs = (
            tuple((_bytes(log.address), tuple(map(_bytes, log.topics)), bytes(log.data[1])) for log in result.logs)
            if result.is_success
            else ()
        )
        return Ran(result.is_success, intrinsic + call.gas - used - refund, refund, logs, changed if result.is_success else ())

    def _warm(self, call: Call) -> None:
        for address in call.warm_accounts:
            self._evm.basic(_hex(address))
        for address, slot in call.warm_slots:
            self._evm.storage(_hex(address), slot)

    def _send(self, call: Call, gas: int) -> None:
        sender, data = _hex(call.sender), call.data
        try:
            if call.to is None:
                self._evm.deploy(sender, data, value=call.value, gas=gas)
            else:
                self._evm.message_call(sender, _hex(call.to), calldata=data, value=call.value, gas=gas, gas_price=call.gas_price)
        except RuntimeError as error:  # so a message that fails ends too, but then there is a result
            if self._evm.result is None:
                raise NotForRevm("revm does not begin it") from error

    def _loaded(self, journal: str) -> Any:
        """Every account that was looked at. Raises NotForRevm for one that revm reads differently."""
        text = journal[: journal.rindex(", transient_storage: {")]
        found = list(_ACCOUNT.finditer(text))
        ends = [match.start() for match in found[1:]] + [len(text)]
        for match, end in zip(found, ends, strict=True):
            address = bytes.fromhex(match[1])
            status = _last(_STATUS, text, match.end(), end)[1]
            if address in NEW_IN_PRAGUE:
                raise NotForRevm("it looks at a precompile that revm lacks")
            created = "Created" in status
            code = _code(text, match.end(), end) if created else None
            self._check_code(address, code)
            if "Touched" not in status and "SelfDestructed" not in status:
                continue
            slots = tuple((int(slot), int(now)) for slot, before, now in _SLOT.findall(text, match.end(), end) if before != now)
            yield Changed(address, int(match[2]), int(match[3]), code, slots, "SelfDestructed" in status)

    def _check_code(self, address: bytes, created: bytes | None) -> None:
        code = self._code_of(address) if created is None else created
        if code not in self._unfit:
            self._unfit[code] = code.startswith(DELEGATION) or _uses(code, *NOT_TOLD)
        if self._unfit[code]:
            raise NotForRevm("it runs code that asks for what revm is not told")


def _uses(code: bytes, *operations: int) -> bool:
    position = 0
    while position < len(code):
        operation = code[position]
        if operation in operations:
            return True
        position += operation - PUSH1 + 2 if PUSH1 <= operation <= PUSH32 else 1
    return False


def _intrinsic_gas(call: Call) -> int:
    """What revm takes before it begins: Cancun's, without an access list."""
    zeros = call.data.count(0)
    gas = GAS_PER_TRANSACTION + GAS_PER_ZERO * zeros + GAS_PER_BYTE * (len(call.data) - zeros)
    return gas if call.to is not None else gas + GAS_PER_CREATION + GAS_PER_INIT_WORD * ((len(call.data) + 31) // 32)


def _code(text: str, start: int, end: int) -> bytes:
    found = _CODE.match(text, start, end)
    if found is None:
        return b""
    code = bytes.fromhex(found[1])
    return code[: int(found[2])] if found[2] else code  # an analysed one is padded


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str]:
    found = pattern.search(text, text.rindex("status: ", start, end), end)
    assert found is not None, "every account has a status"
    return found


def _hex(address: Any) -> str:
    return "0x" + bytes(address).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
