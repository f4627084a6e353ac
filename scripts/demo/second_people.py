"""Those without whom the operator changes nothing: the guardian, two of three approvers, and the brands' owners.

Each is a process of its own, `splittally …` on a directory of its own, which makes the key and signs. This program is told addresses alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gateway.secret_files import make_secret
from scripts.demo.chain_clock import ChainClock
from scripts.demo.client import Client, Refused
from scripts.demo.commands import run_splittally
from scripts.demo.data_directory import DataDirectory

APPROVERS = ("ann", "bea", "cyd")
APPROVALS_NEEDED = 2
GOVERNANCE_DELAY_SECONDS = 3_600  # simulated: between a proposal and its approvals, for guardian and brands to look
MEMBER_DELAY_SECONDS = 86_400
GIVEN_UP_AFTER_SECONDS = 600.0  # of a busy machine
OPEN = ("accepted", "packed", "proposed")
_TRY_AGAIN = {"unavailable", "not_found", "wrong_state"}  # the gateway begins anew, or has not projected the act yet


class SecondPeople:
    """Asks them to act. `rpc_url` is the node that they read for themselves; `clock` moves its simulated time."""

    def __init__(self, directory: DataDirectory, gateway_url: str, rpc_url: str, operator: Client, clock: ChainClock) -> None:
        self._directory = directory
        self._operator = operator
        self._clock = clock
        self._reads_from = ["--gateway", gateway_url, "--rpc", rpc_url, "--api-key-file", str(api_key_file(directory, operator))]

    @property
    def checklist(self) -> Path:
        """What they say of the admission criteria, of each brand that joins."""
        return self._directory.people / "checklist.json"

    def carry_out(self, operation_ids: Sequence[str]) -> None:
        """As many approvers as are needed look at the acts, and after the delay check and approve each, until the ledger has them."""
        waiting = self._until_none_is(("accepted", "packed"), operation_ids, lambda: None)
        if not waiting:
            return
        self._each_approver(lambda name: self._act(name, "acts"))
        self._clock.advance_to(self._clock.head_timestamp() + GOVERNANCE_DELAY_SECONDS)
        self._until_none_is(OPEN, waiting, lambda: self._each_approver(lambda name: self._approve(name, waiting)))

    def veto(self, owner: str, operation_id: str) -> str:
        """A brand's owner vetoes an act that waits; the reason for which the operation ends."""
        if self._until_none_is(("accepted", "packed"), [operation_id], lambda: None):
            self._act(owner, "veto", operation_id)
        self._until_none_is(OPEN, [operation_id], lambda: None)
        ended: str = self._operator.get(f"/v1/operations/{operation_id}")["reason"]
        return ended

    def _until_none_is(self, statuses: Sequence[str], operation_ids: Sequence[str], meanwhile: Callable[[], Any]) -> list[str]:
        """Those of the operations that are proposed when none is in such a status any more."""
        deadline = time.monotonic() + GIVEN_UP_AFTER_SECONDS
        while True:
            found = {each: self._operator.get(f"/v1/operations/{each}")["status"] for each in operation_ids}
            late = next((each for each, status in found.items() if status in statuses), None)
            if late is None:
                return [each for each, status in found.items() if status == "proposed"]
            if time.monotonic() > deadline:
                detail = f"act {late} is {found[late]} and not on the ledger: see the gateway's log"
                raise Refused(503, {"code": "not_executed", "detail": detail})
            meanwhile()
            time.sleep(0.05)

    def _each_approver(self, does: Callable[[str], Any]) -> None:
        for name in APPROVERS[:APPROVALS_NEEDED]:
            does(name)

    def hand_over(self, brand_id: int, owner: str, successor: str) -> str:
        """Both owners sign, one after the other; the operation that relays it."""
        offer = self._directory.people / f"offer-{brand_id}.json"
        to = addresses(self._directory, [successor])[0]
        offer.write_text(json.dumps(self._act(owner, "hand-over", "offer", "--brand", str(brand_id), "--to", to, "--succession")))
        operation_id: str = self._act(successor, "hand-over", "accept", str(offer))["operation_id"]
        return operation_id

    def publish(self, brand_id: int, owner: str, number: int, key: str, api_key: str) -> None:
        """The owner says which keys act in the brand's name, unless the document with this number stands already."""
        if len(self._operator.get(f"/v1/brands/{brand_id}/documents")) < number:
            keys = ["--batch-key", key, "--agent", key, "--api-key", api_key]
            self._act(owner, "brand", "publish", "--brand", str(brand_id), *keys)

    def accept_points(self, brand_id: int, owner: str, issuers: list[int], most: int) -> None:
        """The owner lets the brand be owed so many points of each of these brands, unless that was said already."""
        if self._operator.get(f"/v1/brands/{brand_id}")["owner_acts"] < len(issuers):
            named = (part for issuer in issuers for part in ("--issuer", str(issuer)))
            self._act(owner, "brand", "accept", "--brand", str(brand_id), *named, "--most", str(most))

    def take_points_of(self, newcomer: int, brand_id: int, owner: str, most: int) -> None:
        """The owner takes points of a brand that came later, and the ledger has it."""
        answers = self._act(owner, "brand", "accept", "--brand", str(brand_id), "--issuer", str(newcomer), "--most", str(most))
        self._until_none_is(OPEN, [answers[0]["operation_id"]], lambda: None)

    def _approve(self, name: str, operation_ids: Sequence[str]) -> None:
        """Whoever approved an act already, or finds it executed, has nothing more to do."""
        me = addresses(self._directory, [name])[0].lower()
        for act in self._operator.get("/v1/governance/acts")["acts"]:
            if act["operation_id"] in operation_ids and act["ready_at"] is not None and me not in act["approvers"]:
                admits = act["kind"] == "register_brand" and self.checklist.exists()
                answered = ["--checklist", str(self.checklist)] if admits else []
                answer = self._act(name, "approve", act["operation_id"], "--asked-directly", *answered)
                self._clock.advance_to(answer.get("facts", {}).get("signable_from", 0))

    def _act(self, name: str, *command: str) -> Any:
        deadline = time.monotonic() + GIVEN_UP_AFTER_SECONDS
        while True:
            code, answer = run_splittally(*command, "--home", str(self._directory.people / name), *self._reads_from)
            if code == 0:
                return answer
            if command[0] == "approve" and answer.get("code") in _TRY_AGAIN:
                return answer  # asked again while the act waits
            if answer.get("code") not in _TRY_AGAIN or time.monotonic() > deadline:
                raise Refused(503, answer)
            time.sleep(0.2)


def api_key_file(directory: DataDirectory, operator: Client) -> Path:
    """Of the key that they read with; a new one is made when the answer with the last one was lost."""
    file, attempt = directory.people / "auditor-api.key", 0
    while not file.exists():
        body = {"role": "auditor", "label": "second people"}
        answer = operator.post("/v1/api-keys", body, f"second-people-key-{attempt}", journal=False)
        if answer["token"]:
            make_secret(file, answer["token"])
        attempt += 1
    return file


def addresses(directory: DataDirectory, names: Iterable[str]) -> list[str]:
    """Of these people, each of whom makes a key in a process of its own when it is first asked."""
    return [_address(directory, name) for name in names]


def governing_settings(directory: DataDirectory) -> dict[str, Any]:
    """Who governs, for the gateway's settings. The chain is a sandbox: the delays are its simulated time."""
    guardian, *approvers = addresses(directory, ["guardian", *APPROVERS])
    return {
        "guardian": guardian,
        "approvers": approvers,
        "approvals_needed": APPROVALS_NEEDED,
        "governance_delay_seconds": GOVERNANCE_DELAY_SECONDS,
        "member_delay_seconds": MEMBER_DELAY_SECONDS,
    }


def _address(directory: DataDirectory, name: str) -> str:
    home, told = directory.people / name, directory.people / f"{name}.address"
    if not told.exists():
        does = "address" if (home / "owner.key").exists() else "new"
        code, answer = run_splittally("owner-key", does, "--home", str(home))
        if code:
            raise Refused(503, answer)
        told.write_text(answer["address"])
    return told.read_text()
