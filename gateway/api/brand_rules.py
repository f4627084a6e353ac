"""What a brand's purchases earn: versions of its rule, published, confirmed by its agent, and listed for both."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

from gateway.api.brands import record_of_brand, the_brand
from gateway.api.context import Context, ContextNeeded
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsBrand, AsOperatorOrBrand, AsReader, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath, Digits, Moment, Positive, Signature, UnixSeconds, Word32
from gateway.coalition.rows import SqlCoalition
from gateway.loyalty.programmes.publish_rule import AskedRule, publish_rule
from gateway.loyalty.programmes.put_rule_in_force import put_rule_in_force
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.programmes.rule_views import RuleView, rule_views
from gateway.loyalty.rule import MAX_RULE_NUMBER
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.hex import to_bytes
from gateway.values.ids import Hash

router = Router(prefix="/v1/brands", tags=["brands"])
RULES_AT_ONCE = 200
_SIGNED = ("version", "signature")
VersionPath = Annotated[int, Digits, Path(ge=1, lt=2**53)]
AfterQuery = Annotated[int, Digits, Query(ge=0, lt=2**53)]


class RuleBody(Body):
    """`points` for every `per_minor` minor units of the earn base, from `valid_from` on (default: now; the first rule: since ever).

    Where the brand has a publisher, `version` and `signature` come with it: over `RuleVersion(uint32 brand,uint64 version,bytes32
    document,uint40 validFrom)` in the points ledger's domain; `document` is the keccak of the canonical JSON of `brand_id`, `per_minor`,
    `points`, `valid_from` (Unix seconds; left out: 0, as soon as the brand's agent has confirmed it) and `version`."""

    points: Annotated[int, Field(strict=True, ge=0, le=MAX_RULE_NUMBER)]
    per_minor: Annotated[int, Field(strict=True, ge=1, le=MAX_RULE_NUMBER)]
    valid_from: Moment | None = None
    version: Positive | None = None
    signature: Signature | None = None

    def content(self) -> dict[str, Any]:
        """Signatures came later: requests without one keep their hash."""
        return {name: value for name, value in super().content().items() if name not in _SIGNED or value is not None}

    def asked(self) -> AskedRule:
        begins = None if self.valid_from is None else int(self.valid_from.timestamp())
        signature = None if self.signature is None else to_bytes(self.signature)
        return AskedRule(self.points, self.per_minor, begins, self.version, signature)


class ConfirmationBody(Body):
    """`document_hash`: the keccak of the document that the agent has. `in_force_from` (Unix seconds): where the agent was told it before,
    which a gateway that was restored from a backup no longer knows."""

    document_hash: Word32
    in_force_from: UnixSeconds | None = None


class RulesView(BaseModel):
    """200 at most."""

    rules: list[RuleView]


@router.post("/{brand_id}/rules", status_code=201, responses=WRITES)
def create_rule(brand_id: BrandIdPath, body: RuleBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> RuleView:
    """Publishes the next version of the brand's base rule. One that is signed earns once the brand's agent has confirmed it; until then
    the one before does."""
    check_reads_brand(caller, brand_id)

    def act(work: UnitOfWork) -> str:
        brand, domain = the_brand(work, brand_id), work.of(SqlCoalition).facts.signing_domain
        rule = publish_rule(brand, body.asked(), domain=domain, rules=work.of(SqlRules), now=work.now)
        record_of_brand(work, caller, "publish_rule", brand_id, f"version {rule.version}: {rule.points} per {rule.per_minor}")
        return str(rule.version)

    return _shown(write, brand_id, int(write.once(caller, "rule", body.content(), act)))


@router.get("/{brand_id}/rules", responses=READS)
def get_rules(brand_id: BrandIdPath, _caller: AsReader, context: ContextNeeded, after: AfterQuery = 0) -> RulesView:
    """The versions of the brand's rule after one of them, in their order."""
    return RulesView(rules=[view for view in _listed(context, brand_id) if view.version > after][:RULES_AT_ONCE])


@router.post("/{brand_id}/rules/{version}/confirmation", status_code=201, responses=WRITES)
def put_brand_rule_in_force(
    brand_id: BrandIdPath, version: VersionPath, body: ConfirmationBody, caller: AsBrand, write: WriteNeeded
) -> RuleView:
    """The brand's agent has the version, as its publisher signed it: from now on it earns, or from its beginning where that is later."""
    check_reads_brand(caller, brand_id)

    def act(work: UnitOfWork) -> str:
        the_brand(work, brand_id)
        document, told = Hash.parse(body.document_hash), body.in_force_from
        put_rule_in_force(brand_id, version, document, told, rules=work.of(SqlRules), now=work.now)
        record_of_brand(work, caller, "confirm_rule", brand_id, f"version {version}")
        return str(version)

    return _shown(write, brand_id, int(write.once(caller, "rule_confirmation", body.content(), act)))


def _shown(write: Write, brand_id: int, version: int) -> RuleView:
    write.await_ledger([])
    return next(view for view in _listed(write.context, brand_id) if view.version == version)


def _listed(context: Context, brand_id: int) -> list[RuleView]:
    with context.reading() as work:
        the_brand(work, brand_id)
        return rule_views(brand_id, work.of(SqlRules).told(brand_id), int(work.now))
