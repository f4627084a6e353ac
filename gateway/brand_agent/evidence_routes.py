"""Where another brand's agent hands over evidence of its sales, with a token that opens nothing else."""

from __future__ import annotations

import asyncio
import sqlite3

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.brand_agent.agent import Agent
from gateway.brand_agent.asking import agent_of, answering, body_of, speaker_of
from gateway.brand_agent.bonus import check_evidence, take
from gateway.brand_agent.evidence import EvidenceBody
from gateway.brand_agent.item import Item
from gateway.brand_agent.till_routes import view
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock


def routes() -> list[Route]:
    return [Route("/v1/evidence", answering(_post_evidence), methods=["POST"])]


async def _post_evidence(request: Request) -> Response:
    """202 once it is counted and on disk; the same again is answered as it stands now."""
    speaker, agent = speaker_of(request, Scope.EVIDENCE), agent_of(request)
    assert isinstance(agent, Agent)  # no other agent serves this
    signer = agent.config.signer
    evidence = check_evidence(await body_of(request, EvidenceBody), agent.config.partners, signer.domain, signer.brand_id)
    rules = agent.rules.rules()

    def act(connection: sqlite3.Connection) -> tuple[Item, bool]:
        return take(connection, evidence, signer, rules, agent.lines, speaker, wall_clock())

    item, again = await asyncio.wrap_future(agent.journal.submit(act))
    if not again:
        agent.forwarder.wake()
    return JSONResponse(view(item), 202, {"Idempotent-Replayed": "true"} if again else None)
