"""From a JSON-RPC request, single or batch, to its response. Knows nothing of HTTP."""

import inspect
import logging
from collections import deque
from collections.abc import Callable, Mapping
from math import isinf
from typing import Any, NamedTuple

from pydantic_core import from_json

from node.chain.budget import Budget
from node.chain.errors import ChainError
from node.rpc.encoding import Encoded, encode, encode_object
from node.rpc.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    InvalidParams,
    MethodNotFound,
    RpcError,
    from_chain,
)

log = logging.getLogger(__name__)
Handler = Callable[..., object]
BATCH_MAX = 1_000
LONG_IF_PENDING = frozenset({"eth_getBlockByNumber", "eth_getBlockTransactionCountByNumber"})  # else a look-up


class NotYet(Exception):
    """Of a handler whose answer is null until a block that is about to be sealed. Whoever cannot wait answers null."""


class _Method(NamedTuple):
    handler: Handler
    parameters: inspect.Signature
    takes_budget: bool


class Dispatcher:
    """A handler's positional parameters are the request's. One that may take long or answer much has a keyword `budget` too."""

    def __init__(self, methods: Mapping[str, Handler], new_budget: Callable[[], Budget] = Budget) -> None:
        self.new_budget = new_budget
        self._methods = {name: _method(handler) for name, handler in methods.items()}

    def with_methods(self, methods: Mapping[str, Handler]) -> "Dispatcher":
        """These methods beside or in place of those it has."""
        extended = Dispatcher(methods, self.new_budget)
        extended._methods = {**self._methods, **extended._methods}
        return extended

    def respond(self, body: bytes) -> bytes:
        """The response's JSON; empty if the request held notifications only."""
        reply = self.reply(body, self.new_budget())
        reply.ask()
        return reply.body()

    def may_take_long(self, request: object) -> bool:
        """Whether it runs code, or looks through much, for whoever asks: what takes a budget."""
        method, params = (request.get("method"), request.get("params")) if isinstance(request, dict) else (None, None)
        if not isinstance(method, str) or method not in self._methods or not self._methods[method].takes_budget:
            return False
        return method not in LONG_IF_PENDING or (isinstance(params, list) and "pending" in params)

    def reply(self, body: bytes, budget: Budget) -> "Reply":
        """What is asked for, and nothing done yet."""
        try:
            request = from_json(body, allow_inf_nan=False)  # bounded in depth: the EVM library lifts the interpreter's own bound
        except ValueError:
            return Reply(self, budget, refusal=RpcError(PARSE_ERROR, "parse error: the body is not valid JSON"))
        if not isinstance(request, list):
            return Reply(self, budget, [request])
        if not request:
            return Reply(self, budget, refusal=RpcError(INVALID_REQUEST, "empty batch"))
        if len(request) > BATCH_MAX:
            return Reply(self, budget, refusal=RpcError(INVALID_REQUEST, f"batch too large: at most {BATCH_MAX} requests"))
        return Reply(self, budget, request, batch=True)

    def answer(self, request: object, budget: Budget) -> tuple[bytes | None, bool]:
        """The response to one request, as JSON, if it wants one, and whether it is NotYet."""
        try:
            request_id, method, params, is_notification = _parse(request)
        except RpcError as error:
            request_id = request.get("id") if isinstance(request, dict) else None
            return _failure(request_id if isinstance(request_id, str | int) else None, error), False
        not_yet = False
        try:
            budget.check()
            response = _success(request_id, self._call(method, params, budget))
        except NotYet:
            not_yet = True
            response = _success(request_id, None)
        except RpcError as error:
            response = _failure(request_id, error)
        except ChainError as error:
            response = _failure(request_id, from_chain(error))
        except Exception:
            log.exception("%s failed", method)
            response = _failure(request_id, RpcError(INTERNAL_ERROR, "internal error"))
        return (None, False) if is_notification else (response, not_yet)

    def _call(self, method: str, params: list[Any], budget: Budget) -> object:
        if method not in self._methods:
            raise MethodNotFound(method[:100])
        handler, parameters, takes_budget = self._methods[method]
        try:
            bound = parameters.bind(*params)
        except TypeError as error:
            raise InvalidParams(f"wrong number of parameters: {error}") from error
        return handler(*bound.args, budget=budget) if takes_budget else handler(*bound.args)


class Reply:
    """The responses to a body's requests, on one budget. Each request is carried out once, but for those that answered NotYet."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        budget: Budget,
        requests: list[object] | None = None,
        *,
        batch: bool = False,
        refusal: RpcError | None = None,
    ) -> None:
        self._dispatcher, self._budget, self._requests, self._batch = dispatcher, budget, requests or [], batch
        self._responses: list[bytes | None] = [_failure(None, refusal)] if refusal else [None] * len(self._requests)
        self._unasked = deque(range(len(self._requests)))
        self._not_yet: list[int] = []

    @property
    def is_unasked(self) -> bool:
        """In part at least."""
        return bool(self._unasked)

    @property
    def is_not_yet(self) -> bool:
        return bool(self._not_yet)

    def ask(self, wanted: Callable[[object], bool] = lambda request: True) -> None:
        """Those not asked yet, up to the first that is not wanted here and now."""
        while self._unasked and wanted(self._requests[self._unasked[0]]):
            position = self._unasked.popleft()
            response, not_yet = self._dispatcher.answer(self._requests[position], self._budget)
            self._responses[position] = response
            self._budget.answered(len(response or b""))
            if not_yet:
                self._not_yet.append(position)

    def ask_again(self) -> None:
        """What answered NotYet."""
        self._unasked.extend(self._not_yet)
        self._not_yet = []
        self.ask()

    def body(self) -> bytes:
        wanted = [response for response in self._responses if response is not None]
        if not wanted:
            return b""
        if not self._batch:
            return wanted[0]
        wanted[0] = b"[" + wanted[0]  # the whole, which may be large, is copied only once
        wanted[-1] += b"]"
        return b",".join(wanted)


def _parse(request: object) -> tuple[str | int | float | None, str, list[Any], bool]:
    if not isinstance(request, dict):
        raise RpcError(INVALID_REQUEST, "invalid request: not an object")
    request_id, method, params = request.get("id"), request.get("method"), request.get("params", [])
    if request.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'invalid request: jsonrpc must be "2.0"')
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "invalid request: method must be a string")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None) or _is_infinite(request_id):
        raise RpcError(INVALID_REQUEST, "invalid request: id must be a string, a number or null")
    if params is None:
        params = []
    if not isinstance(params, list):
        raise InvalidParams("non-array args")
    return request_id, method, params, "id" not in request


def _is_infinite(request_id: object) -> bool:
    return isinstance(request_id, float) and isinf(request_id)  # 1e999: JSON has no such number to answer with


def _method(handler: Handler) -> _Method:
    parameters = inspect.signature(handler).parameters
    takes_budget = "budget" in parameters
    return _Method(handler, inspect.Signature([item for name, item in parameters.items() if name != "budget"]), takes_budget)


def _success(request_id: object, result: object) -> bytes:
    response = {"jsonrpc": "2.0", "id": request_id, "result": result}
    return (encode_object(response).text if isinstance(result, Encoded) else encode(response)).encode()


def _failure(request_id: object, error: RpcError) -> bytes:
    return encode({"jsonrpc": "2.0", "id": request_id, "error": error.body()}).encode()
