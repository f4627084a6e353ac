"""What members do for one another and for themselves: a purchase paid from two purses, a grant to a brand, a spend lock, a transfer.

Every step is written down before it is sent, or once it is done: a run that is taken up again does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.brand_signer import register_writer
from gateway.ledger.entries import BRAND_GRANT
from gateway.ledger.member_acts import Grant, MemberAct, SpendLock, Unlock, grant_to_brand, grant_to_member, member_act_body
from gateway.values.ids import Hash, MemberId
from scripts.demo.client import Refused
from scripts.demo.pool_payment import pay_together
from scripts.demo.second_people import MEMBER_DELAY_SECONDS
from scripts.demo.till import Till
from scripts.demo.world import World

SIGNED_FOR_SECONDS = 86_400
GRANTED_FOR_SECONDS = 30 * 86_400
EACH = 20  # points that one purse gives
ASKED = 60  # members who are looked at
FILE = "households.json"
NUMBERS = ("per_purchase", "per_day", "in_all", "until", "nonce", "deadline")
ROLES = ("giver", "shopper", "saver", "careful", "donor", "friend")


def live_together(world: World) -> dict[str, Any] | None:
    """What came of it; None where too few members have the points."""
    story = _Story(world)
    cast: dict[str, str] | None = story.once("cast", story.cast)
    if cast is None:
        return None
    return {
        "pool": story.once("pool", lambda: story.pool(cast["giver"], cast["shopper"])),
        "brand_grant": story.once("brand grant", lambda: story.brand_grant(cast["saver"])),
        "spend_lock": story.once("spend lock", lambda: story.spend_lock(cast["careful"])),
        "transfer": story.once("transfer", lambda: story.transfer(cast["donor"], cast["friend"])),
    }


class _Story:
    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, Any] = world.directory.read(FILE) or {}
        self._grocer, self._drugstore = world.tills["grocer"], world.tills["drugstore"]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = make()
            self._world.directory.keep(FILE, self._kept)
        return self._kept[name]

    def cast(self) -> dict[str, str] | None:
        """Those with the most points; the friend needs none."""
        asked = self._world.members[:ASKED]
        available = {member: self._points(member)["available"] for member in asked}
        best = sorted(asked, key=lambda member: (-available[member], asked.index(member)))[: len(ROLES)]
        if len(best) < len(ROLES) or available[best[-2]] < 2 * EACH:
            return None
        return dict(zip(ROLES, best, strict=True))

    def pool(self, giver: str, shopper: str) -> dict[str, Any]:
        """One purchase, paid with the shopper's own points and with another member's under her grant."""
        self._grant("pool grant", giver, grant_to_member(MemberId.parse(shopper)), {"member_id": shopper}, 2 * EACH, 100)
        purses = self.once("purses", lambda: self._purses("household", [giver, shopper], shopper))
        self._listed(self._grocer, purses, one_step=False)
        status = pay_together(self._grocer.client, self._grocer.register, purses, "household")
        used = self._standing(giver)["grants"][0]
        return {
            "brand": self._grocer.brand.name,
            "status": status,
            "own_points": EACH,
            "granted_points": EACH,
            "left_in_all": used["left_in_all"],
        }

    def brand_grant(self, saver: str) -> dict[str, Any]:
        """Small amounts without a prompt: one within the limit, and one above it."""
        till = self._drugstore
        self._grant("brand grant", saver, grant_to_brand(till.brand.brand_id), {"brand_id": till.brand.brand_id}, EACH, 100)
        within = self.once("within", lambda: self._unprompted(saver, "unprompted-1", EACH))
        self._listed(till, [within], one_step=True)
        self._done(till, "/v1/redemptions", within, "unprompted-1")
        above = self._refusal(till, self._unprompted(saver, "unprompted-2", EACH + 1), "unprompted-2")
        return {"brand": till.brand.name, "per_purchase": EACH, "redeemed": EACH, "asked_above": EACH + 1, "refused": above}

    def spend_lock(self, careful: str) -> dict[str, Any]:
        """Nothing is spent while it holds, and it ends a day after the member asked for it."""
        till = self._grocer
        (consent,) = self.once("locked consent", lambda: self._purses("locked", [careful], careful))
        self._act("lock", careful, "spend-locks", lambda by: SpendLock(*by("turn")))
        refused = self._refusal(till, consent, "locked")
        self._act("unlock", careful, "unlocks", lambda by: Unlock(*by("acts")))
        (waiting,) = self.once("waiting", lambda: self._standing(careful)["pending_acts"])
        early = self.once("early", lambda: self._too_early(careful, waiting["act_id"]))
        until = self.once("unlocks at", lambda: self._world.clock.head_timestamp() + MEMBER_DELAY_SECONDS + 60)
        self._walk_to(until)
        done = till.client.post(f"/v1/members/{careful}/executions", {"act_id": waiting["act_id"]}, "households-unlock-executed")
        self._world.await_operation(done["operation_id"])
        (purse,) = self.once("unlocked consent", lambda: self._purses("unlocked", [careful], careful))
        self._listed(till, [purse], one_step=True)
        self._done(till, "/v1/redemptions", purse, "spent-after-unlock")
        days = MEMBER_DELAY_SECONDS // 86_400
        return {"refused": refused, "unlock_too_early": early, "delay_days": days, "redeemed_after": EACH}

    def transfer(self, donor: str, friend: str) -> dict[str, Any]:
        """Both sign; the lots keep their issuer and expiry."""
        client = self._grocer.client
        body = self.once("offer", lambda: self._signed_offer(donor, friend))
        answer = client.post("/v1/transfers", body, "households-transfer")
        self._world.await_operation(answer["operation"]["operation_id"])
        made = client.get(f"/v1/transfers/{answer['transfer']['transfer_id']}")
        return {"points": made["points"], "lots": len(made["lots"]), "status": made["status"], "again": self._again(body)}

    # Each signs in the wallets' process

    def _grant(self, name: str, giver: str, to: Hash, named: dict[str, Any], per_purchase: int, in_all: int) -> None:
        def grant(by: Callable[[str], tuple[Any, ...]]) -> Grant:
            member, nonce, deadline = by("acts")
            until = deadline - SIGNED_FOR_SECONDS + GRANTED_FOR_SECONDS
            return Grant(member, to, per_purchase, in_all, in_all, until, nonce, deadline)

        self._act(name, giver, "grants", grant, named)

    def _act(
        self,
        name: str,
        member: str,
        path: str,
        make: Callable[[Callable[[str], tuple[Any, ...]]], MemberAct],
        named: dict[str, Any] | None = None,
    ) -> None:
        """`make` is given what makes (member, nonce, deadline) of the number that the standing names so."""

        def sign() -> dict[str, Any]:
            deadline = self._now() + SIGNED_FOR_SECONDS
            act = make(lambda number: (MemberId.parse(member), self._standing(member)[number], deadline))
            said = member_act_body(act)
            limits: dict[str, Any] = {field: int(said[field]) for field in NUMBERS if field in said}
            return {**limits, **(named or {}), **self._world.ask_wallets("/sign-act", {"act": said})}

        body = self.once(f"{name} body", sign)
        done = self._grocer.client.post(f"/v1/members/{member}/{path}", body, f"households-{name.replace(' ', '-')}")
        self._world.await_operation(done["operation_id"])

    def _purses(self, order: str, members: list[str], spender: str) -> list[dict[str, Any]]:
        """A consent of the spender for each member's part of the order, as the till hands it in."""
        return [self._purse(f"{order}-{number}", member, spender) for number, member in enumerate(members, 1)]

    def _purse(self, order_id: str, member: str, spender: str) -> dict[str, Any]:
        question = {"order_id": order_id, "member_id": member, "spender_id": spender, "points": EACH, "valid_seconds": SIGNED_FOR_SECONDS}
        quote = self._grocer.client.ask("/v1/quotes", question)
        taken = {name: quote[name] for name in ("order_id", "member_id", "points", "discount_minor", "order_hash", "nonce", "deadline")}
        other = {} if spender == member else {"spender_id": spender}
        return {**taken, **other, **self._world.sign_consent(quote["typed_data"])}

    def _unprompted(self, member: str, order_id: str, points: int) -> dict[str, Any]:
        worth = self._drugstore.brand.worth_minor(points)
        what = {"order_id": order_id, "member_id": member, "points": points, "discount_minor": worth}
        return {**what, "deadline": self._now() + 3_600, "proof_kind": BRAND_GRANT}

    def _signed_offer(self, donor: str, friend: str) -> dict[str, Any]:
        quote = self._grocer.client.ask("/v1/transfer-quotes", {"giver_id": donor, "taker_id": friend, "points": EACH})
        lots = [{"lot_id": lot["lot_id"], "points": lot["points"]} for lot in quote["lots"]]
        terms = {"lots": lots, "nonce": quote["nonce"], "deadline": quote["deadline"]}
        sides = {"giver_id": donor, "taker_id": friend}
        asked = {"giver": donor, "taker": friend, **terms}
        proofs = {
            f"{side}_proof": self._world.ask_wallets("/sign-transfer", {**asked, "signer": asked[side]}) for side in ("giver", "taker")
        }
        return {**sides, **terms, **proofs}

    # What came of it

    def _done(self, till: Till, path: str, body: dict[str, Any], key: str) -> None:
        answer = till.client.post(path, body, f"households-{key}")
        self._world.await_operation(answer["operation"]["operation_id"])

    def _refusal(self, till: Till, body: dict[str, Any], key: str) -> str:
        return _code(lambda: till.client.post("/v1/redemptions", body, f"households-{key}"))

    def _too_early(self, member: str, act_id: str) -> str:
        path = f"/v1/members/{member}/executions"
        return _code(lambda: self._grocer.client.post(path, {"act_id": act_id}, "households-too-early"))

    def _again(self, body: dict[str, Any]) -> str:
        return _code(lambda: self._grocer.client.post("/v1/transfers", body, "households-transfer-again"))

    def _listed(self, till: Till, purses: list[dict[str, Any]], *, one_step: bool) -> None:
        till.register.append(
            register_writer.order_record(one["order_id"], one["member_id"], one["points"], one_step=one_step) for one in purses
        )

    def _points(self, member: str) -> Any:
        return self._grocer.client.get(f"/v1/members/{member}/points")

    def _standing(self, member: str) -> Any:
        return self._grocer.client.get(f"/v1/members/{member}/standing")

    def _now(self) -> int:
        now: int = self._world.operator.get("/v1/coalition")["head"]["timestamp"]
        return now

    def _walk_to(self, moment: int) -> None:
        """Until the gateway has seen it too."""
        self._world.clock.advance_to(moment)
        while self._now() < moment:
            self._world.supervisor.check()


def _code(call: Callable[[], Any]) -> str:
    """The problem's code; "accepted" where there was none."""
    try:
        call()
    except Refused as refusal:
        return str(refusal.problem.get("code"))
    return "accepted"
