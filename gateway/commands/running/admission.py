"""`splittally admission`: the criteria as a gateway tells everybody, and the operator's own list."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.access.rows import SqlPrivilegedActions
from gateway.coalition.rows import business_clock
from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.governance.rows import SqlCriteria
from gateway.governance.set_criteria import set_criteria
from gateway.ledger.admission import AdmissionCriteria, Criterion
from gateway.second_people.gateway_client import GatewayClient
from gateway.store.unit_of_work import writing
from gateway.values.calendar import wall_clock
from gateway.values.errors import Invalid


@troubles_named
def show_criteria(gateway_url: str, version: int | None, as_json: bool) -> None:
    gateway = GatewayClient(gateway_url, None)
    click.get_current_context().call_on_close(gateway.close)
    _print(gateway.admission_criteria(version), as_json)


@troubles_named
def set_criteria_of_file(file: Path, as_json: bool) -> None:
    asked = _criteria_in(file)
    with writing(open_database(), business_clock()) as work:
        found = set_criteria(asked, criteria=work.of(SqlCriteria), now=work.now)
        work.of(SqlPrivilegedActions).record(
            wall_clock(), "command line", "set_admission_criteria", "coalition", f"version {found.version}"
        )
    _print(found, as_json)


def _criteria_in(file: Path) -> list[Criterion]:
    try:
        told = json.loads(file.read_text())
        if not isinstance(told, list) or any(each.keys() != {"name", "text"} for each in told):
            raise ValueError("no list of criteria")
        return [Criterion(str(each["name"]), str(each["text"])) for each in told]
    except (ValueError, AttributeError) as wrong:
        raise Invalid(f'{file} is no list of criteria: write [{{"name": "identity", "text": "what must be so"}}, …], or []') from wrong


def _print(found: AdmissionCriteria, as_json: bool) -> None:
    if as_json:
        print_json({**found.as_json(), "criteria_hash": str(found.hash)})
        return
    click.echo(f"Admission criteria, version {found.version}{'' if found.criteria else ': none, registrations are approved without'}")
    for each in found.criteria:
        click.echo(f"  {each.name}: {each.text}")
