"""From a JSON-RPC request, single or batch, to its response. Knows nothing of HTTP."""

import inspect
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from pydantic_core import from_json

from node.chain.errors import ChainError
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


class NotYet(Exception):
    """Of a handler whose answer is null until a block that is about to be sealed. Whoever cannot wait answers null."""


@dataclass(frozen=True)
class Attempt:
    response: bytes
    not_yet: bool = False  # worth another attempt after the next block


class Dispatcher:
    def __init__(self, methods: Mapping[str, Handler]) -> None:
        self._methods = {name: (handler, inspect.signature(handler)) for name, handler in methods.items()}

    def with_methods(self, methods: Mapping[str, Handler]) -> "Dispatcher":
        """These methods beside or in place of those it has."""
        extended = Dispatcher(methods)
        extended._methods = {**self._methods, **extended._methods}
        return extended

    def attempt(self, body: bytes) -> Attempt:
        """As `respond`. A batch is never worth another attempt: parts of it have taken effect."""
        early: list[str] = []
        response = self.respond(body, early)
        return Attempt(response, bool(early) and not response.startswith(b"["))

    def respond(self, body: bytes, early: list[str] | None = None) -> bytes:
        """The response's JSON; empty if the request held notifications only. `early` takes the methods that answered NotYet."""
        early = [] if early is None else early
        try:
            request = from_json(body, allow_inf_nan=False)  # bounded in depth: the EVM library lifts the interpreter's own bound
        except ValueError:
            return _dump(_failure(None, RpcError(PARSE_ERROR, "parse error: the body is not valid JSON")))
        if not isinstance(request, list):
            response = self._answer(request, early)
            return b"" if response is None else _dump(response)
        if not request:
            return _dump(_failure(None, RpcError(INVALID_REQUEST, "empty batch")))
        if len(request) > BATCH_MAX:
            return _dump(_failure(None, RpcError(INVALID_REQUEST, f"batch too large: at most {BATCH_MAX} requests")))
        responses = [response for item in request if (response := self._answer(item, early)) is not None]
        return _dump(responses) if responses else b""

    def _answer(self, request: object, early: list[str]) -> dict[str, object] | None:
        try:
            request_id, method, params, is_notification = _parse(request)
        except RpcError as error:
            request_id = request.get("id") if isinstance(request, dict) else None
            return _failure(request_id if isinstance(request_id, str | int) else None, error)
        response: dict[str, object]
        try:
            result = self._call(method, params)
        except NotYet:
            early.append(method)
            response = {"jsonrpc": "2.0", "id": request_id, "result": None}
        except RpcError as error:
            response = _failure(request_id, error)
        except ChainError as error:
            response = _failure(request_id, from_chain(error))
        except Exception:
            log.exception("%s failed", method)
            response = _failure(request_id, RpcError(INTERNAL_ERROR, "internal error"))
        else:
            response = {"jsonrpc": "2.0", "id": request_id, "result": result}
        return None if is_notification else response

    def _call(self, method: str, params: list[Any]) -> object:
        if method not in self._methods:
            raise MethodNotFound(method[:100])
        handler, signature = self._methods[method]
        try:
            bound = signature.bind(*params)
        except TypeError as error:
            raise InvalidParams(f"wrong number of parameters: {error}") from error
        return handler(*bound.args)


def _parse(request: object) -> tuple[str | int | float | None, str, list[Any], bool]:
    if not isinstance(request, dict):
        raise RpcError(INVALID_REQUEST, "invalid request: not an object")
    request_id, method, params = request.get("id"), request.get("method"), request.get("params", [])
    if request.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'invalid request: jsonrpc must be "2.0"')
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "invalid request: method must be a string")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None) or request_id == inf:
        raise RpcError(INVALID_REQUEST, "invalid request: id must be a string, a number or null")
    if params is None:
        params = []
    if not isinstance(params, list):
        raise InvalidParams("non-array args")
    return request_id, method, params, "id" not in request


def _failure(request_id: object, error: RpcError) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "error": error.body()}


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
