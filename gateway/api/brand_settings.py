"""A brand's settings: whether activity keeps its points alive, and what becomes of what a clawback could not take."""

from __future__ import annotations

from pydantic import BaseModel, StrictBool

from gateway.api.brands import record_of_brand, the_brand
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, check_reads_brand
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath
from gateway.brands.change_settings import change_settings
from gateway.brands.rows import SqlBrands
from gateway.store.unit_of_work import UnitOfWork

router = Router(prefix="/v1/brands", tags=["brands"])


class SettingsBody(Body):
    """What is left out stays. `extends_by_activity`: what a member earns or pays with points at the brand moves her points of it to the
    expiry that points earned then have; the brand's signer must promise the same. `carries_clawbacks`: what a clawback could not take,
    since it was spent, is taken later from points of the brand that she still gets; otherwise it is written off."""

    extends_by_activity: StrictBool | None = None
    carries_clawbacks: StrictBool | None = None


class SettingsView(BaseModel):
    extends_by_activity: bool
    carries_clawbacks: bool


@router.post("/{brand_id}/settings", status_code=201, responses=WRITES)
def change_brand_settings(brand_id: BrandIdPath, body: SettingsBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> SettingsView:
    """Changes the settings. Activity counts from now on; what clawbacks fell short of is carried for as long as the setting says so."""
    check_reads_brand(caller, brand_id)

    def act(work: UnitOfWork) -> str:
        asked = {"extends_by_activity": body.extends_by_activity, "carries_clawbacks": body.carries_clawbacks}
        changed = change_settings(the_brand(work, brand_id), **asked, brands=work.of(SqlBrands))
        said = f"extends_by_activity {changed.extends_by_activity}, carries_clawbacks {changed.carries_clawbacks}"
        record_of_brand(work, caller, "change_settings", brand_id, said)
        return str(brand_id)

    write.once(caller, "brand_settings", body.content(), act)
    write.await_ledger([])
    with write.context.reading() as work:
        brand = the_brand(work, brand_id)
    return SettingsView(extends_by_activity=brand.extends_by_activity, carries_clawbacks=brand.carries_clawbacks)
