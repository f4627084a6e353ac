"""Where another brand's agent hands over evidence of its sales, with a token that opens nothing else."""

from __future__ import annotations

import asyncio
import sqlite3

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.brand_agent.agent import Agent
from gateway.brand_agent.asking import agent_of, answering, body_of, speaker_of
from gateway.brand_agent.bonus import CheckedEvidence, check_evidence, is_counted, take
from gateway.brand_agent.evidence import EvidenceBody
from gateway.brand_agent.item import Item
from gateway.brand_agent.till_routes import view
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock


def routes() -> list[Route]:
    return [
        Route("/v1/evidence", answering(_post_evidence), methods=["POST"]),
        Route("/v1/evidence/counted", answering(_is_counted), methods=["POST"]),
    ]


async def _post_evidence(request: Request) -> Response:
    """202 once it is counted and on disk; the same again is answered as it stands now."""
    speaker, agent = speaker_of(request, Scope.EVIDENCE), _brands(request)
    signer, evidence = agent.config.signer, await _evidence_of(request)
    rules = agent.rules.rules()

    def act(connection: sqlite3.Connection) -> tuple[Item, bool]:
        return take(connection, evidence, signer, rules, agent.lines, speaker, wall_clock())

    item, again = await asyncio.wrap_future(agent.journal.submit(act))
    if not again:
        agent.forwarder.wake()
    return JSONResponse(view(item), 202, {"Idempotent-Replayed": "true"} if again else None)


async def _is_counted(request: Request) -> Response:
    """Whether the evidence in the body was: for its seller, who finds out by it what a restored agent has lost."""
    speaker_of(request, Scope.EVIDENCE)
    document = (await _evidence_of(request)).document
    asked = agent_of(request).journal.submit(lambda connection: is_counted(connection, document))
    return JSONResponse({"counted": await asyncio.wrap_future(asked)})


def _brands(request: Request) -> Agent:
    agent = agent_of(request)
    assert isinstance(agent, Agent)  # no other agent serves this
    return agent


async def _evidence_of(request: Request) -> CheckedEvidence:
    config = _brands(request).config
    body = await body_of(request, EvidenceBody)
    return check_evidence(body, config.partners, config.signer.domain, config.signer.brand_id)
