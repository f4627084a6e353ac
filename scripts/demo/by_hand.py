"""Members' own acts on a coalition that `scripts/run` serves, step by step: grants, a pool's consent, a transfer, the spend lock.

`python -m scripts.demo.by_hand [DIR]` (default var/demo). A till of the grocer relays; the wallets' process signs, as a phone would.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from gateway.ledger.member_acts import Grant, MemberAct, SpendLock, Unlock, grant_to_brand, grant_to_member, member_act_body
from gateway.values.ids import MemberId
from scripts.demo.client import Client, Refused
from scripts.demo.coalition import BY_SLUG
from scripts.demo.engine import HOST
from scripts.demo.households import NUMBERS

DAY_SECONDS = 86_400
POINTS = 2


class Hands:
    """What a till and two wallets do, one line printed for each."""

    def __init__(self, root: Path) -> None:
        ports = json.loads((root / "ports.json").read_text())
        self.till = Client(f"http://{HOST}:{ports['gateway']}", (root / "brands/grocer/api.key").read_text().strip(), _never_mind)
        self.wallets = Client(f"http://{HOST}:{ports['wallets']}", (root / "wallets/token").read_text().strip(), _never_mind)
        self.until = self.till.get("/v1/coalition")["head"]["timestamp"] + DAY_SECONDS

    def standing(self, member: str) -> Any:
        return self.till.get(f"/v1/members/{member}/standing")

    def act(self, does: str, path: str, act: MemberAct, **named: Any) -> None:
        """Signed by the member's wallet over the ledger's form, then told the gateway with the same numbers."""
        said = member_act_body(act)
        numbers = {name: int(said[name]) for name in NUMBERS if name in said}
        proof = self.wallets.ask("/sign-act", {"act": said})
        body = {**numbers, **named, "proof_kind": proof["proof_kind"], "proof": proof["proof"]}
        operation = self.till.post(f"/v1/members/{act.member}/{path}", body, _key())
        print(f"{does}: {operation['status']}")

    def transfer(self, giver: str, taker: str) -> None:
        quote = self.till.ask("/v1/transfer-quotes", {"giver_id": giver, "taker_id": taker, "points": POINTS})
        terms = {"lots": [{name: lot[name] for name in ("lot_id", "points")} for lot in quote["lots"]]}
        terms |= {"nonce": quote["nonce"], "deadline": quote["deadline"]}
        proofs = {}
        for side, signer in (("giver", giver), ("taker", taker)):
            proof = self.wallets.ask("/sign-transfer", {"giver": giver, "taker": taker, **terms, "signer": signer})
            proofs[f"{side}_proof"] = {name: proof[name] for name in ("proof_kind", "proof")}
        answer = self.till.post("/v1/transfers", {"giver_id": giver, "taker_id": taker, **terms, **proofs}, _key())
        print(f"{POINTS} points transferred, both signed: {answer['operation']['status']}")


def main(arguments: list[str] | None = None) -> int:
    hands = Hands(Path(next(iter(sys.argv[1:] if arguments is None else arguments), "var/demo")))
    found = _two_members(hands)
    if found is None:
        print("No member with points and without a spend lock is left: start `scripts/run` with --fresh")
        return 1
    ann, bea = found
    giver, acts, until = MemberId.parse(ann), hands.standing(ann)["acts"], hands.until
    drugstore = BY_SLUG["drugstore"].brand_id
    small = Grant(giver, grant_to_brand(drugstore), 20, 40, 100, until, acts, until)
    hands.act("The drugstore may take up to 20 points a purchase without a prompt", "grants", small, brand_id=drugstore)
    pool = Grant(giver, grant_to_member(MemberId.parse(bea)), 20, 40, 100, until, acts + 1, until)
    hands.act("Another member may spend up to 20 of her points a purchase", "grants", pool, member_id=bea)
    question = {"order_id": f"by-hand-{secrets.token_hex(4)}", "member_id": ann, "spender_id": bea, "points": POINTS}
    consent = hands.wallets.ask("/sign-consent", {"typed_data": hands.till.ask("/v1/quotes", question)["typed_data"]})
    print(f"That member's consent over {POINTS} of them, which a till takes: proof kind {consent['proof_kind']}")
    hands.transfer(ann, bea)
    none = Grant(giver, pool.to, 0, 0, 0, until, hands.standing(ann)["acts"], until)
    hands.act("The grant to that member is withdrawn", "grants", none, member_id=bea)
    hands.act("Her spending is locked", "spend-locks", SpendLock(giver, hands.standing(ann)["turn"], until))
    try:
        hands.transfer(ann, bea)
    except Refused as refusal:
        print(f"Another transfer: refused ({refusal.problem['code']})")
    hands.act("The lock is asked to end", "unlocks", Unlock(giver, hands.standing(ann)["acts"], until))
    (waiting,) = hands.standing(ann)["pending_acts"]
    print(f"It waits, and may be vetoed, until {waiting['ready_at']}")
    return 0


def _two_members(hands: Hands) -> tuple[str, str] | None:
    """The first has points that she can give, neither has locked its spending."""
    listed = hands.wallets.ask("/authorizers", {"indexes": [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]})["authorizers"]
    free = [each["member_id"] for each in reversed(listed) if not hands.standing(each["member_id"])["is_locked"]]
    with_points = [member for member in free if hands.till.get(f"/v1/members/{member}/points")["available"] >= 2 * POINTS]
    taker = next((member for member in free if member != next(iter(with_points), member)), None)
    return (with_points[0], taker) if with_points and taker else None


def _key() -> str:
    return f"by-hand-{secrets.token_hex(8)}"


def _never_mind() -> None:
    """Whether the run still goes on is not asked."""


if __name__ == "__main__":
    sys.exit(main())
