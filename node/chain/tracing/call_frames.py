"""geth's callTracer: the tree of messages, with what went in and what came out."""

from dataclasses import dataclass, field

from eth.abc import ComputationAPI, MessageAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import Revert, VMError
from eth.vm.computation import BaseComputation

from node.chain.budget import Hold
from node.chain.errors import TooMuch
from node.chain.execution import Call
from node.chain.failures import failure_text, revert_reason
from node.chain.receipts import Log
from node.chain.tracing.replay import Replay
from node.chain.tracing.watched import Tracer, as_number

FRAMES_MAX = 50_000
FRAME_BYTES = 300  # in the answer, without its data


@dataclass
class Frame:
    kind: str
    sender: bytes
    to: bytes | None
    gas: int
    input: bytes
    value: int | None
    gas_used: int = 0
    output: bytes = b""
    failure: str | None = None
    reason: str | None = None
    calls: list["Frame"] = field(default_factory=list)
    logs: list[tuple[Log, int]] = field(default_factory=list)  # each with the number of calls before it

    def finish(self, computation: ComputationAPI, gas_used: int) -> None:
        self.gas_used = gas_used
        if not computation.is_error:
            self.output = bytes(computation.output)
            return
        self.failure = failure_text(computation.error)
        if self.kind in ("CREATE", "CREATE2"):
            self.to = None
        if isinstance(computation.error, Revert):
            self.output = bytes(computation.output)
            self.reason = revert_reason(self.output)

    def drop_logs(self) -> None:
        """Of a frame that failed, and with it of all it called."""
        self.logs.clear()
        for call in self.calls:
            call.drop_logs()


class CallFrames(Tracer):
    def __init__(self, hold: Hold, *, top_only: bool = False) -> None:
        self._hold, self._top_only = hold, top_only
        self._open: list[Frame] = [Frame("", b"", None, 0, b"", None)]
        self._operation = [""]  # of each open frame, the step it is at
        self._count = 0

    def top(self, done: Replay) -> Frame:
        """The finished tree."""
        return self.top_of(done.message, done.computation, done.gas_used)

    def top_of(self, message: Call, computation: ComputationAPI, gas_used: int) -> Frame:
        [frame] = self._open
        frame.kind, frame.to = "CALL", bytes(message.to)
        if message.to == CREATE_CONTRACT_ADDRESS:
            frame.kind, frame.to = "CREATE", bytes(computation.msg.storage_address)
        frame.sender, frame.gas = bytes(message.sender), message.gas
        frame.input, frame.value = message.data, message.value
        frame.finish(computation, gas_used)
        if frame.failure is not None:
            frame.drop_logs()
        return frame

    def before_step(self, computation: BaseComputation, operation: str) -> None:
        self._operation[-1] = operation
        if operation == "SELFDESTRUCT" and not self._top_only and computation._stack.values:  # type: ignore[attr-defined]
            heir = (as_number(computation._stack.values[-1]) & ((1 << 160) - 1)).to_bytes(20, "big")  # type: ignore[attr-defined]
            owner = computation.msg.storage_address
            self._add(Frame(operation, bytes(owner), heir, 0, b"", computation.state.get_balance(owner)))

    def after_step(self, computation: BaseComputation, failure: VMError | None) -> None:
        if failure is None and self._operation[-1].startswith("LOG") and not (self._top_only and len(self._operation) > 1):
            _, address, topics, data = computation._log_entries[-1]
            log = Log(bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
            self._hold(2 * log.size)
            self._open[-1].logs.append((log, len(self._open[-1].calls)))

    def enter(self, parent: BaseComputation, message: MessageAPI) -> None:
        self._operation.append("")
        if self._top_only:
            return
        kind = self._operation[-2]
        to = message.storage_address if message.is_create else message.code_address
        value = None if kind == "STATICCALL" else int(message.value)
        frame = Frame(kind, bytes(parent.msg.storage_address), bytes(to), message.gas, bytes(message.data), value)
        if message.is_create:
            frame.input = bytes(message.code)
        self._add(frame)
        self._open.append(frame)

    def leave(self, child: ComputationAPI) -> None:
        self._operation.pop()
        if self._top_only:
            return
        frame = self._open.pop()
        frame.finish(child, child.get_gas_used())
        self._hold(2 * len(frame.output))
        if frame.failure is not None:
            frame.drop_logs()

    def _add(self, frame: Frame) -> None:
        self._count += 1
        if self._count > FRAMES_MAX:
            raise TooMuch(f"the trace is too large: at most {FRAMES_MAX} calls; ask for onlyTopCall")
        self._hold(FRAME_BYTES + 2 * len(frame.input))
        self._open[-1].calls.append(frame)
