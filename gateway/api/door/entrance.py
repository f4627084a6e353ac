"""The door as ASGI middleware: host, API key, share, size; then the body; then a turn. Of who is refused no body is buffered."""

from __future__ import annotations

import asyncio
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.api_key import Caller
from gateway.access.key_ring import KeyRing
from gateway.api.door.backlog import Backlog
from gateway.api.door.bodies import ClientGone, TakenBody, check_declared, declared_bytes, has_body
from gateway.api.door.hosts import check_host
from gateway.api.door.shares import Lane, Pace, PaceLeft, Turn
from gateway.api.limits import QUEUE_SECONDS, SIZES, DoorSettings, bounds_for
from gateway.api.problems import HEADERS_OF, MEDIA_TYPE, Problem, problem_of
from gateway.inbound.connections import know
from gateway.values.errors import NotAuthenticated, Refusal

STRANGERS = "strangers"  # the principal of all who send no key, or a wrong one
PROBES = frozenset({"/healthz", "/readyz"})
OPEN_TO_READ = frozenset({"/v1/coalition", "/v1/coalition/admission-criteria", "/v1/checkpoints"})  # to read
READING = frozenset({"GET", "HEAD"})
CALLER, TURN = "splittally.caller", "splittally.turn"  # in a request's scope


class Door:
    """Sets the caller and its turn in the scope of what it lets in."""

    def __init__(self, app: ASGIApp, keys: KeyRing, backlog: Backlog, settings: DoorSettings) -> None:
        self._app = app
        self._keys = keys
        self._backlog = backlog
        self._settings = settings
        self._pace = Pace(settings.requests_per_second)
        self._lanes = {bounds: Lane(bounds.slots, bounds.places) for bounds in SIZES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            check_host(scope["headers"], self._settings.hosts)
            if scope["path"] in PROBES and not has_body(scope):
                await self._app(scope, receive, answer)
            else:
                await self._enter(scope, receive, answer)
        except Refusal as refusal:
            await answer.refuse(problem_of(refusal))
        except ClientGone:
            return

    async def _enter(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            caller = scope[CALLER] = await self._caller(scope)
        except NotAuthenticated:
            answer.left = self._pace.take(STRANGERS, monotonic())
            raise
        principal = STRANGERS
        if caller is not None:
            principal = caller.principal
            know(scope, principal)
        answer.left = self._pace.take(principal, monotonic())
        declared = declared_bytes(scope)
        bounds = bounds_for(scope["path"], declared)
        check_declared(declared, bounds)
        lane = self._lanes[bounds]
        turn = scope[TURN] = Turn(lane, principal, QUEUE_SECONDS)
        with lane.place(principal):
            if scope["method"] not in READING:
                await self._backlog.check(principal)
            body = await TakenBody.taken(receive, bounds, self._settings.spool) if has_body(scope) else None
            try:
                await turn.take()
                await self._app(scope, receive if body is None else body.replaying(receive), answer)
            finally:
                turn.give_back()
                if body is not None:
                    body.close()

    async def _caller(self, scope: Scope) -> Caller | None:
        """None for who sends no key and needs none. Refuses unknown, wrong and revoked keys alike."""
        sent = dict(scope["headers"]).get(b"authorization")
        if sent is None:
            if has_body(scope) or (scope["path"].startswith("/v1") and not (scope["path"] in OPEN_TO_READ and scope["method"] in READING)):
                raise NotAuthenticated("send an API key: Authorization: Bearer <key>")
            return None
        kind, _, token = sent.decode("latin-1").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token:
            raise NotAuthenticated("send an API key: Authorization: Bearer <key>")
        caller = self._keys.known(token)
        if caller is None:
            key = await asyncio.shield(asyncio.wrap_future(self._keys.asked(token)))
            caller = self._keys.holder(key, token)
        if caller is None:
            raise NotAuthenticated("this API key is unknown or was revoked")
        return caller


class _Answer:
    """The way out: every answer says what the caller may still ask for."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.left: PaceLeft | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.left is not None:
            message = {**message, "headers": [*message.get("headers", ()), *_rate_headers(self.left)]}
        await self._send(message)

    async def refuse(self, found: Problem) -> None:
        body = found.model_dump_json().encode()
        headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **HEADERS_OF.get(found.status, {})}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": found.status, "headers": raw})
        await self({"type": "http.response.body", "body": body})


def _rate_headers(left: PaceLeft) -> list[tuple[bytes, bytes]]:
    """As draft-ietf-httpapi-ratelimit-headers has them."""
    return [
        (b"ratelimit-policy", b'"share";q=%d;w=1' % left.share),
        (b"ratelimit", b'"share";r=%d;t=%d' % (max(0, left.remaining), left.reset_seconds)),
    ]
