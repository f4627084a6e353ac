"""JSON-RPC over one WebSocket: requests are answered in order, subscriptions pushed in between. Always in text frames."""

import asyncio
import contextlib
import json

from starlette.websockets import WebSocket, WebSocketDisconnect

from node.rpc.answering import Answering
from node.rpc.dispatch import Dispatcher
from node.rpc.eth.subscribe import Subscriptions
from node.rpc.lanes import Lanes
from node.rpc.ports import NodeView


class Connection:
    def __init__(self, socket: WebSocket, dispatcher: Dispatcher, node: NodeView, lanes: Lanes) -> None:
        self._socket, self._node, self._lanes = socket, node, lanes
        self._subscriptions = Subscriptions(node)
        self._answered = Answering(dispatcher.with_methods(self._subscriptions.methods()), lanes, node.history.new_head)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    async def serve(self) -> None:
        """Until the client leaves or the server ends."""
        await self._socket.accept()
        bells = (self._node.history.new_head, self._node.pool.arrival)
        listener = self._wake  # one object: a bound method is a new one each time it is read
        for bell in bells:
            bell.listen(listener)
        tasks = {asyncio.create_task(self._answer()), asyncio.create_task(self._push())}
        try:
            finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                task.result()
        except WebSocketDisconnect:
            pass
        finally:
            for bell in bells:
                bell.leave(listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            body = message.get("bytes") or (message.get("text") or "").encode()
            response = await self._answered(body)
            if response:
                await self._socket.send_text(response.decode())
            if self._subscriptions.activate():
                self._news.set()

    async def _push(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            for subscription_id, watch in list(self._subscriptions.active.items()):
                while news := await self._lanes.promptly(watch):
                    for item in news:
                        if subscription_id in self._subscriptions.active:
                            await self._socket.send_text(_notification(subscription_id, item))

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the server's loop has ended
            self._loop.call_soon_threadsafe(self._news.set)


def _notification(subscription_id: str, item: object) -> str:
    params = {"subscription": subscription_id, "result": item}
    return json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params}, separators=(",", ":"))
