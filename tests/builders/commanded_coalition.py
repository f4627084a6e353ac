"""A coalition made by the product's own commands: node and gateway in processes of their own, second people with their directories.

`splittally owner-key` makes their keys, `splittally serve` deploys, `splittally approve` approves; nothing is put into a database by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from gateway.chain.connection import Chain
from gateway.chain.operator_key import load_account
from gateway.cli import program
from gateway.second_people.known_coalition import KnownCoalition
from gateway.second_people.person import open_person
from gateway.secret_files import make_secret, read_secret
from gateway.values.hex import hex_text
from gateway.values.ids import Address
from tests.builders.authorities import make_authority
from tests.node.running_node import ROOT, RunningNode, throwaway_account

DELAY = 2 * 86_400
START = 1_771_200_000  # 2026-02-16 00:00 UTC
APPROVERS, NEEDED = ("ann", "bea", "cyd"), 2
BRAND = 1


@dataclass
class CommandedCoalition:
    """`people` is where second people keep their directories; the operator's are `folder / gateway` and the node's."""

    folder: Path
    node: RunningNode
    url: str = ""
    numbers: list[int] = field(default_factory=list)
    gateway: subprocess.Popen[str] | None = None

    @property
    def operator_folder(self) -> Path:
        return self.folder / "gateway"

    def home(self, name: str) -> Path:
        return self.folder / "people" / name

    def account(self, name: str) -> LocalAccount:
        return open_person(self.home(name)).account

    @property
    def operator(self) -> LocalAccount:
        return load_account(self.operator_folder / "operator.key")

    @property
    def batch_key(self) -> LocalAccount:
        return throwaway_account(f"batch key of {BRAND}")

    @property
    def tls(self) -> tuple[Path, Path]:
        """Certificate and key of an agent, by an authority that the gateway believes."""
        return self.folder / "authority" / "tls.pem", self.folder / "authority" / "tls.key"

    @property
    def chain(self) -> Chain:
        return Chain(self.node.url)

    @property
    def known(self) -> KnownCoalition:
        return KnownCoalition.parse(self.get("/v1/coalition"))

    def stop_gateway(self) -> None:
        """What follows is done by whoever has the operator's files, not by the gateway."""
        if self.gateway is not None:
            self.gateway.terminate()
            self.gateway.wait(timeout=60)
            if self.gateway.stdout is not None:
                self.gateway.stdout.close()
            self.gateway = None

    # Commands and requests

    def command(self, *arguments: str, person: str | None = None, gateway: str = "", succeeds: bool = True) -> Any:
        """What `splittally … --json` says, with the options of a second person where one runs it; `gateway` is a lying one."""
        return json.loads(self.told(*arguments, "--json", person=person, gateway=gateway, succeeds=succeeds))

    def told(self, *arguments: str, person: str | None = None, gateway: str = "", succeeds: bool = True, typed: str | None = None) -> str:
        """The same as people read it, who type what they are asked for."""
        options: list[str] = []
        if person is not None:
            token = str(self.folder / "people" / "auditor-api.key")
            options = ["--home", str(self.home(person)), "--gateway", gateway or self.url, "--api-key-file", token]
            options += ["--rpc", self.node.url]
        done = CliRunner().invoke(program(), [*arguments, *options], input=typed)
        assert (done.exit_code == 0) == succeeds, done.output
        return done.output

    def by_operator(self, *arguments: str, succeeds: bool = True) -> Any:
        """What a command of the operator's says, on the gateway's own directory."""
        return self.command("--data-dir", str(self.operator_folder), *arguments, succeeds=succeeds)

    def get(self, path: str) -> Any:
        return self._http("GET", path).json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """By the operator."""
        self.numbers.append(1)
        answer = self._http("POST", path, json=body, headers={"Idempotency-Key": f"test-{len(self.numbers)}", "Prefer": "wait=0"})
        assert answer.status_code < 300, answer.text
        return answer.json()

    def _http(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        token = read_secret(self.operator_folder / "operator-api.key")
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return httpx.request(method, self.url + path, headers=sent, timeout=60, **options)

    def give_ether(self, name: str) -> None:
        """From the guardian, to a person who sends for itself."""
        guardian, chain = self.account("guardian"), self.chain
        to = to_checksum_address(self.account(name).address)
        sent: dict[str, Any] = {"type": 2, "chainId": chain.chain_id(), "to": to, "value": 10**18, "gas": 21_000}
        sent |= {"nonce": chain.transaction_count(Address.parse(guardian.address))}
        signed = guardian.sign_transaction(sent | {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9})
        chain.call("eth_sendRawTransaction", hex_text(bytes(signed.raw_transaction)))
        self.await_true(lambda: chain.call("eth_getTransactionReceipt", hex_text(bytes(signed.hash))))

    # Acts

    def proposed(self, operation_id: str) -> dict[str, Any]:
        """The act of an operation, as soon as its proposal is on the chain."""
        found = self.await_true(
            lambda: next((act for act in self._acts() if act["operation_id"] == operation_id and act["ready_at"]), None)
        )
        return dict(found)

    def _acts(self) -> list[dict[str, Any]]:
        return list(self.get("/v1/governance/acts")["acts"])

    def wait_out(self, seconds: int = DELAY) -> None:
        """So long passes on the chain, and the gateway has seen it."""
        reached = int(self.node.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + seconds
        self.node.call("evm_mine", reached)
        self.await_true(lambda: self.get("/v1/coalition")["head"]["timestamp"] >= reached)

    def approve(self, operation_id: str) -> None:
        for name in APPROVERS[:NEEDED]:
            self.command("approve", operation_id, "--asked-directly", person=name)

    def carried_out(self, operation_id: str) -> None:
        """Proposed, seen by the approvers, ready after its delay, approved and executed."""
        self.proposed(operation_id)
        for name in APPROVERS[:NEEDED]:
            self.command("acts", person=name)
        self.wait_out()
        self.approve(operation_id)
        self.ended(operation_id, "confirmed")

    def ended(self, operation_id: str, status: str) -> dict[str, Any]:
        found = self.await_true(lambda: self._ended(operation_id))
        assert found["status"] == status, found
        return dict(found)

    def _ended(self, operation_id: str) -> Any:
        found = self.get(f"/v1/operations/{operation_id}")
        return found if found["status"] in ("confirmed", "refused") else None

    @staticmethod
    def await_true(reached: Any, seconds: float = 90) -> Any:
        until = time.monotonic() + seconds
        while True:
            found = reached()
            if found:
                return found
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(0.05)

    def register_brand(self) -> None:
        body = {
            "brand_id": BRAND,
            "name": "Grocer",
            "key_address": self.batch_key.address,
            "signer_url": "http://127.0.0.1:9",
            "signer_token": "t" * 32,
            "reference_secret": "0x" + "01" * 32,
            "issue_limit": 1_000_000,
            "par": {"numerator": 1, "denominator": 1},
            "redemption": {"numerator": 1, "denominator": 1},
            "lot_validity_months": 12,
            "owner_address": self.account("owner").address,
        }
        self.carried_out(self.post("/v1/brands", body)["operation"]["operation_id"])


@contextmanager
def commanded_coalition(folder: Path, sandbox: bool = True) -> Iterator[CommandedCoalition]:
    """Node and gateway serve; in a sandbox, where delays can be passed, brand 1 is registered with the approvals of two people."""
    people = ("guardian", "owner", "successor", *APPROVERS)
    node = RunningNode(folder / "node")
    made = CommandedCoalition(folder, node)
    for name in people:
        done = CliRunner().invoke(program(), ["owner-key", "new", "--home", str(made.home(name))])
        assert done.exit_code == 0, done.output
    made.operator_folder.mkdir()
    done = CliRunner().invoke(program(), ["--data-dir", str(made.operator_folder), "init", "--address"])
    assert done.exit_code == 0, done.output
    funded = (done.output.strip(), made.account("guardian").address)
    clock = ("--sandbox", "--timestamp", str(START)) if sandbox else ()
    node.arguments = (*clock, *(part for one in funded for part in ("--operator", one)))
    with node, _serving(made, sandbox):
        _auditor_key(made)
        if sandbox:
            made.register_brand()
        yield made


@contextmanager
def _serving(made: CommandedCoalition, sandbox: bool) -> Iterator[None]:
    settings = {
        "rpc_url": made.node.url,
        "sandbox": sandbox,
        "guardian": made.account("guardian").address,
        "approvers": [made.account(name).address for name in APPROVERS],
        "approvals_needed": NEEDED,
        "governance_delay_seconds": DELAY,
        "poll_seconds": 0.05,
        "signer_ca": str(make_authority(made.folder / "authority")),
    }
    (made.operator_folder / "gateway.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    command = [sys.executable, "-m", "gateway", "--data-dir", str(made.operator_folder), "serve", "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (made.folder / "gateway.log").open("w") as log:
        made.gateway = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment)
    try:
        assert made.gateway.stdout is not None
        made.url = json.loads(made.gateway.stdout.readline())["url"]
        made.await_true(lambda: _is_deployed(made))
        yield
    finally:
        made.stop_gateway()


def _is_deployed(made: CommandedCoalition) -> bool:
    try:
        answer = made._http("GET", "/v1/coalition")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["head"] is not None and answer.json()["head"]["block_number"] > 0


def _auditor_key(made: CommandedCoalition) -> None:
    """The API key that second people read with."""
    asked = ["--data-dir", str(made.operator_folder), "keys", "create", "--role", "auditor", "--label", "second people", "--json"]
    done = CliRunner().invoke(program(), asked)
    assert done.exit_code == 0, done.output
    make_secret(made.folder / "people" / "auditor-api.key", json.loads(done.output)["token"])


def fresh_account() -> LocalAccount:
    """Of somebody who has no role at all."""
    account: LocalAccount = Account.create()
    return account
