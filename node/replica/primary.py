"""The primary as its JSON-RPC shows it. Everything it says is parsed here, and is a claim until the chain has checked it."""

import asyncio
import json
import re
from collections.abc import Container
from itertools import takewhile
from types import TracebackType
from typing import Any

import httpx

from node.chain.errors import BadGenesis, ChainError
from node.chain.following import SealedBlock, check_genesis
from node.chain.genesis import parse_config
from node.store.chain_file import ChainHead

ANSWER_BYTES_MAX = 128 * 1024 * 1024
SILENCE_SECONDS_MAX = 30
ANSWER_SECONDS_MAX = 120  # in all, however it trickles in
SHOWN_OF_A_MESSAGE = 200


class PrimaryUnreachable(ChainError):
    """No answer, or one that is none: worth another try."""


class Primary:
    """One thread at a time asks it; `interrupt` may come from any. `shown_url` is for messages and files: without credentials."""

    def __init__(self, url: str, answer_seconds: float = ANSWER_SECONDS_MAX) -> None:
        self.shown_url = re.sub(r"(?s)^([a-zA-Z]*://)?.*@", r"\1", url).split("?")[0]
        self._url = url
        self._answer_seconds = answer_seconds
        self._client = httpx.AsyncClient(timeout=SILENCE_SECONDS_MAX, headers={"accept-encoding": "identity"})
        self._loop = asyncio.new_event_loop()  # what it runs can be ended at any time, unlike a thread that reads
        self._request: asyncio.Task[bytes] | None = None
        self._interrupted = False

    def __enter__(self) -> "Primary":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def interrupt(self) -> None:
        """Ends the request under way and every later one as PrimaryUnreachable."""
        self._interrupted = True
        self._loop.call_soon_threadsafe(self._end_request)

    def genesis(self) -> ChainHead:
        """Raises BadGenesis if what it says does not hold together."""
        found, seal, last = self._ask([("splittally_getGenesis", []), ("splittally_getSeal", ["0x0"]), ("eth_blockNumber", [])])
        try:
            config = parse_config(json.dumps(found["config"], sort_keys=True, separators=(",", ":")).encode())
            head = ChainHead(config, _bytes(found["genesisHash"]), _bytes(seal["signature"]), int(last, 16))
        except (KeyError, TypeError, ValueError) as error:
            raise BadGenesis(f"{self.shown_url} does not serve a chain of these rules: {error!r}") from error
        check_genesis(head.config, head.genesis_hash, head.genesis_seal)
        return head

    def head_and_header(self, number: int) -> tuple[int, bytes | None]:
        """Its head's number, and the RLP of the header it has at `number`: None if that is beyond its head."""
        last, header = self._ask([("eth_blockNumber", []), ("debug_getRawHeader", [hex(number)])], may_miss=(1,))
        try:
            return int(last, 16), None if header is None else _bytes(header)
        except (TypeError, ValueError) as error:
            raise PrimaryUnreachable(f"{self.shown_url} answers what is no block number or header: {error}") from error

    def blocks(self, first: int, count: int) -> list[SealedBlock]:
        """Up to `count` blocks, at least one: large ones do not all fit into one answer."""
        numbers = range(first, first + count)
        requests = [(method, [hex(number)]) for number in numbers for method in ("debug_getRawBlock", "splittally_getSeal")]
        answers = self._ask(requests, may_miss=range(2, len(requests)))
        given = takewhile(lambda answer: None not in answer[1:], zip(numbers, answers[::2], answers[1::2], strict=True))
        try:
            found = [SealedBlock(number, _bytes(raw), _bytes(seal["signature"])) for number, raw, seal in given]
        except (KeyError, TypeError, ValueError) as error:
            raise PrimaryUnreachable(f"{self.shown_url} answers what is no block or seal: {error!r}") from error
        if not found:
            raise PrimaryUnreachable(f"{self.shown_url} answers nothing for block {first} or its seal")
        return found

    def _ask(self, requests: list[tuple[str, list[str]]], may_miss: Container[int] = ()) -> list[Any]:
        """The results, in order. `may_miss`: the indexes of requests that may be refused; their results are None then."""
        batch = [{"jsonrpc": "2.0", "id": index, "method": method, "params": params} for index, (method, params) in enumerate(requests)]
        try:
            answers = {answer["id"]: answer for answer in json.loads(self._post(json.dumps(batch).encode()))}
            results: list[Any] = []
            for index, (method, _) in enumerate(requests):
                answer = answers[index]
                if "error" in answer and index not in may_miss:
                    raise PrimaryUnreachable(f"{self.shown_url} refuses {method}: {str(answer['error']['message'])[:SHOWN_OF_A_MESSAGE]}")
                results.append(answer.get("result"))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PrimaryUnreachable(f"{self.shown_url} does not speak JSON-RPC: {error!r}") from error
        return results

    def _post(self, body: bytes) -> bytes:
        try:
            return self._loop.run_until_complete(self._fetch(body))
        except TimeoutError as error:
            raise PrimaryUnreachable(f"{self.shown_url} takes more than {self._answer_seconds:g} s for an answer") from error
        except asyncio.CancelledError as error:
            raise PrimaryUnreachable(f"{self.shown_url} is not waited for any longer") from error
        except httpx.InvalidURL as error:  # its words may quote the URL
            raise PrimaryUnreachable(f"{self.shown_url} is not a URL") from error
        except httpx.HTTPError as error:
            raise PrimaryUnreachable(f"{self.shown_url} cannot be reached: {error}") from error

    async def _fetch(self, body: bytes) -> bytes:
        self._request, answer = asyncio.current_task(), bytearray()
        if self._interrupted:
            raise asyncio.CancelledError
        async with (
            asyncio.timeout(self._answer_seconds),
            self._client.stream("POST", self._url, content=body, headers={"content-type": "application/json"}) as response,
        ):
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) > ANSWER_BYTES_MAX:
                    raise PrimaryUnreachable(f"{self.shown_url} answers with more than {ANSWER_BYTES_MAX} bytes")
        return bytes(answer)

    async def _close(self) -> None:
        await self._client.aclose()
        await self._loop.shutdown_asyncgens()
        await asyncio.sleep(0)  # in which the loop closes the sockets

    def _end_request(self) -> None:
        if self._request is not None:
            self._request.cancel()


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or text[:2] != "0x":
        raise ValueError("no 0x-prefixed hex")
    return bytes.fromhex(text[2:])
