"""eth-tester behind HTTP, by way of web3.py's own provider for it: it has no server of its own. `PORT` is the only argument."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]
from web3 import Web3
from web3.providers.eth_tester import EthereumTesterProvider

from scripts.benchmarks.issuing import OPERATOR

GAS_LIMIT = 2**40
FUNDS_WEI = 10**27
FAILED = -32000


def main() -> None:
    account = {"balance": FUNDS_WEI, "nonce": 0, "code": b"", "storage": {}}
    operator = OPERATOR.public_key.to_canonical_address()
    parameters = PyEVMBackend.generate_genesis_params({"gas_limit": GAS_LIMIT})
    tester = EthereumTester(PyEVMBackend(genesis_parameters=parameters, genesis_state={operator: account}))
    web3 = Web3(EthereumTesterProvider(tester))
    web3.middleware_onion.clear()
    assert isinstance(web3.provider, EthereumTesterProvider)
    answer = web3.provider.request_func(web3, web3.middleware_onion)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(respond(request["method"], request["params"]), default=str).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    def respond(method: str, params: list[Any]) -> dict[str, Any]:
        try:
            answered: Any = answer(method, params)
        except Exception as error:  # whatever the tester raises is its answer
            return {"error": {"code": FAILED, "message": f"{type(error).__name__}: {error}"}}
        return {"error": answered["error"]} if "error" in answered else {"result": _as_json(answered["result"])}

    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


def _as_json(value: Any) -> Any:
    """Numbers and bytes as Ethereum's JSON has them."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else value


if __name__ == "__main__":
    main()
