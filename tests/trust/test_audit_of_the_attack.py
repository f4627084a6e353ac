"""The other half of the attack: with the gateway's database the operator acts in brand 1's name. The audit, by its command, names it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli import program
from gateway.values.ids import Address
from tests.builders.commanded_coalition import BRAND
from tests.trust.ground import Ground
from tests.trust.standing import own_key


def run(ground: Ground, *arguments: str) -> Result:
    return CliRunner().invoke(program(), ["--data-dir", str(ground.made.operator_folder), *arguments, "--json"])


def found(ground: Ground) -> Any:
    """What the audit says of invariant 12."""
    return json.dumps(json.loads(run(ground, "audit", "--invariant", "12").output))


def test_an_api_key_and_a_signer_that_the_brand_did_not_publish_are_named(ground: Ground) -> None:
    before = run(ground, "audit", "--invariant", "12")
    assert before.exit_code == 0, before.output
    made = json.loads(run(ground, "keys", "create", "--role", "brand", "--brand", str(BRAND), "--label", "till").output)
    key_id = made["token"].partition(".")[0]
    own = Address.parse(own_key("a signer of the operator's own").address)
    database = sqlite3.connect(ground.made.operator_folder / "gateway.sqlite3")
    with database:
        database.execute("UPDATE brands SET key_address = ? WHERE brand_id = ?", (bytes(own), BRAND))
    database.close()
    after = found(ground)
    assert f"the API key {key_id} acts for brand {BRAND}, which the brand did not publish" in after
    assert f"the gateway asks {own} to sign for brand {BRAND}, which published" in after
