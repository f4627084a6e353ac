"""The primary as its JSON-RPC shows it. Everything it says is parsed here, and is a claim until the chain has checked it."""

import json
from types import TracebackType
from typing import Any

import httpx

from node.chain.errors import BadGenesis, ChainError
from node.chain.following import SealedBlock
from node.chain.genesis import parse_config
from node.store.chain_file import ChainHead

ANSWER_BYTES_MAX = 128 * 1024 * 1024
TIMEOUT_SECONDS = 30


class PrimaryUnreachable(ChainError):
    """No answer, or one that is none: worth another try."""


class Primary:
    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> "Primary":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def genesis(self) -> ChainHead:
        """Raises BadGenesis if what it says does not hold together."""
        found, seal, last = self._ask([("splittally_getGenesis", []), ("splittally_getSeal", ["0x0"]), ("eth_blockNumber", [])])
        try:
            config = parse_config(json.dumps(found["config"], sort_keys=True, separators=(",", ":")).encode())
            return ChainHead(config, _bytes(found["genesisHash"]), _bytes(seal["signature"]), int(last, 16))
        except (KeyError, TypeError, ValueError) as error:
            raise BadGenesis(f"{self.url} does not serve a chain of these rules: {error!r}") from error

    def head_and_header(self, number: int) -> tuple[int, bytes | None]:
        """Its head's number, and the RLP of the header it has at `number`: None if that is beyond its head."""
        last, header = self._ask([("eth_blockNumber", []), ("debug_getRawHeader", [hex(number)])], may_miss=1)
        try:
            return int(last, 16), None if header is None else _bytes(header)
        except (TypeError, ValueError) as error:
            raise PrimaryUnreachable(f"{self.url} answers what is no block number or header: {error}") from error

    def blocks(self, first: int, count: int) -> list[SealedBlock]:
        numbers = range(first, first + count)
        requests = [(method, [hex(number)]) for number in numbers for method in ("debug_getRawBlock", "splittally_getSeal")]
        answers = self._ask(requests)
        try:
            pairs = zip(numbers, answers[::2], answers[1::2], strict=True)
            return [SealedBlock(number, _bytes(raw), _bytes(seal["signature"])) for number, raw, seal in pairs]
        except (KeyError, TypeError, ValueError) as error:
            raise PrimaryUnreachable(f"{self.url} answers what is no block or seal: {error!r}") from error

    def _ask(self, requests: list[tuple[str, list[str]]], may_miss: int | None = None) -> list[Any]:
        """The results, in order. `may_miss`: the index of a request that may be refused; its result is None then."""
        batch = [{"jsonrpc": "2.0", "id": index, "method": method, "params": params} for index, (method, params) in enumerate(requests)]
        try:
            answers = {answer["id"]: answer for answer in json.loads(self._post(json.dumps(batch).encode()))}
            results: list[Any] = []
            for index, (method, _) in enumerate(requests):
                answer = answers[index]
                if "error" in answer and index != may_miss:
                    raise PrimaryUnreachable(f"{self.url} refuses {method}: {answer['error']['message']}")
                results.append(answer.get("result"))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PrimaryUnreachable(f"{self.url} does not speak JSON-RPC: {error!r}") from error
        return results

    def _post(self, body: bytes) -> bytes:
        answer = bytearray()
        try:
            with self._client.stream("POST", self.url, content=body, headers={"content-type": "application/json"}) as response:
                for chunk in response.iter_bytes():
                    answer += chunk
                    if len(answer) > ANSWER_BYTES_MAX:
                        raise PrimaryUnreachable(f"{self.url} answers with more than {ANSWER_BYTES_MAX} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PrimaryUnreachable(f"{self.url} cannot be reached: {error}") from error
        return bytes(answer)


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or text[:2] != "0x":
        raise ValueError("no 0x-prefixed hex")
    return bytes.fromhex(text[2:])
