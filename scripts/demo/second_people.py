"""Those without whom the operator changes nothing: the guardian, two of three approvers, and the brands' owners.

Their keys lie apart from the gateway's directory, and the gateway is told addresses and signatures alone.
"""

from __future__ import annotations

import time
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from gateway.brands.register_brand import OPEN_END
from gateway.chain.operator_key import create_key_file, load_account
from gateway.ledger.governance import approval_digest
from gateway.ledger.owner_acts import SetExposure, owner_act_digest
from gateway.ledger.signing import Domain
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash
from scripts.demo.client import Client, Refused
from scripts.demo.data_directory import DataDirectory

APPROVERS = ("ann", "bea", "cyd")
APPROVALS_NEEDED = 2
GOOD_FOR_SECONDS = 30 * 86_400
GIVEN_UP_AFTER_SECONDS = 120.0


def person(directory: DataDirectory, name: str) -> LocalAccount:
    """The account of one of them; its key is made at the first call."""
    key_file = directory.people / f"{name}.key"
    create_key_file(key_file)
    return load_account(key_file)


def governing_settings(directory: DataDirectory) -> dict[str, Any]:
    """Who governs, for the gateway's settings; the simulated days leave no room for a delay, nor for members' own."""
    return {
        "guardian": person(directory, "guardian").address,
        "approvers": [person(directory, name).address for name in APPROVERS],
        "approvals_needed": APPROVALS_NEEDED,
        "governance_delay_seconds": 0,
        "member_delay_seconds": 0,
    }


def approve_until_registered(directory: DataDirectory, operator: Client, coalition: dict[str, Any], brand_id: int) -> None:
    """As many approvers as are needed approve what waits, until the brand is on the ledger."""
    governance = Domain(coalition["chain_id"], Address.parse(coalition["governance_address"]), Hash.parse(coalition["coalition_id"]))
    deadline = time.monotonic() + GIVEN_UP_AFTER_SECONDS
    while operator.get(f"/v1/brands/{brand_id}")["status"] == "pending":
        for act in operator.get("/v1/governance/acts")["acts"]:
            for name in APPROVERS[:APPROVALS_NEEDED] if act["ready_at"] is not None else ():
                signer = person(directory, name)
                if signer.address.lower() not in act["approvers"]:
                    _approve(signer, name, operator, governance, act)
        if time.monotonic() > deadline:
            raise Refused(503, {"code": "not_registered", "detail": f"brand {brand_id} is not on the ledger yet: see the gateway's log"})
        time.sleep(0.05)


def accept_each_other(directory: DataDirectory, operator: Client, coalition: dict[str, Any], brands: dict[int, str], most: int) -> None:
    """The owner of each brand, by id and slug, lets it be owed so many points of each other one."""
    domain = Domain(coalition["chain_id"], Address.parse(coalition["brands_address"]), Hash.parse(coalition["coalition_id"]))
    for brand_id, slug in brands.items():
        for nonce, issuer_id in enumerate(each for each in brands if each != brand_id):
            digest = owner_act_digest(domain, SetExposure(brand_id, issuer_id, most, nonce, OPEN_END))
            signature = hex_text(bytes(person(directory, f"owner-{slug}").unsafe_sign_hash(Hash32(digest)).signature))
            owner = {"nonce": nonce, "deadline": OPEN_END, "signature": signature}
            body = {"issuer_id": issuer_id, "most": most, "owner": owner}
            operator.post(f"/v1/brands/{brand_id}/exposure", body, f"exposure-{brand_id}-{issuer_id}", wait_seconds=0)


def _approve(signer: LocalAccount, name: str, operator: Client, governance: Domain, act: dict[str, Any]) -> None:
    approved_at = act["ready_at"]
    good_until = approved_at + GOOD_FOR_SECONDS
    digest = approval_digest(governance, Hash.parse(act["act_id"]), approved_at, good_until)
    signature = hex_text(bytes(signer.unsafe_sign_hash(Hash32(digest)).signature))
    body = {"approved_at": approved_at, "good_until": good_until, "signature": signature}
    path, key = f"/v1/governance/acts/{act['operation_id']}/approvals", f"approve-{act['operation_id']}-{name}"
    operator.post(path, body, key, wait_seconds=0)
