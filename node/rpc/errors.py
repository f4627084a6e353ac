"""JSON-RPC errors, and the one table that turns the chain's refusals into them, as geth words and numbers them."""

from node.chain import budget, errors

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
NOT_FOUND = -32001
TIMED_OUT = -32002
RESPONSE_TOO_LARGE = -32003
LIMIT_EXCEEDED = -32005
INITCODE_TOO_LARGE = -38025
REVERTED = 3


class RpcError(Exception):
    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {"code": self.code, "message": self.message}
        return body if self.data is None else {**body, "data": self.data}


class InvalidParams(RpcError):
    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message)


class MethodNotFound(RpcError):
    def __init__(self, method: str) -> None:
        super().__init__(METHOD_NOT_FOUND, f"the method {method} does not exist/is not available")


_CODES: dict[type[errors.ChainError], int] = {
    errors.NotOnChain: SERVER_ERROR,
    errors.TooMuch: LIMIT_EXCEEDED,
    errors.TooBusy: LIMIT_EXCEEDED,
    errors.BadTimestamp: INVALID_PARAMS,
    errors.BeyondHead: INVALID_PARAMS,
    errors.InitcodeTooLarge: INITCODE_TOO_LARGE,
    budget.RequestTimedOut: TIMED_OUT,
    budget.ResponseTooLarge: RESPONSE_TOO_LARGE,
}


def from_chain(error: errors.ChainError) -> RpcError:
    if isinstance(error, errors.ExecutionReverted):
        return RpcError(REVERTED, str(error), "0x" + error.data.hex())
    return RpcError(_CODES.get(type(error), SERVER_ERROR), str(error))
