"""Whether a brand's signer is there, and is the brand's: tried out at once, and never a reason to refuse what was asked."""

from __future__ import annotations

from pydantic import BaseModel

from gateway.api.context import Context, ContextNeeded
from gateway.api.permissions import AsOperatorOrBrand, check_reads_brand
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath
from gateway.brands.rows import SqlBrands
from gateway.rounds.signer_port import ProbeResult
from gateway.values.errors import NotFound, TooManyRequests

router = Router(prefix="/v1/brands", tags=["brands"])


class SignerProbeBody(Body):
    """Nothing to say: the signer is asked where the brand's settings say that it is."""


class SignerProbeView(BaseModel):
    """`result`: ok, not_there (nobody listens), unclear (no signer answers there), other_brand, other_key, wrong_token. `said` tells in
    words what to do. What does not answer now may a minute later."""

    result: ProbeResult
    said: str


@router.post("/{brand_id}/signer-probe", responses=WRITES)
def probe_brand_signer(
    brand_id: BrandIdPath, body: SignerProbeBody, caller: AsOperatorOrBrand, context: ContextNeeded
) -> SignerProbeView | None:
    """Asks the brand's signer who it is, as the gateway reaches it. Nothing is signed or stored; null where none is asked."""
    check_reads_brand(caller, brand_id)
    found = probed(context, brand_id)
    if found is None and context.probes is not None:
        raise TooManyRequests("this signer is being tried out: ask again in a few seconds")
    return found


def probed(context: Context, brand_id: int) -> SignerProbeView | None:
    """No database transaction stays open while the signer is asked. None where it is not asked, or being asked already."""
    with context.reading() as work:
        brands = work.of(SqlBrands)
        if brands.find(brand_id) is None:
            raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
        address, keys = brands.signer_of(brand_id), brands.batch_keys(brand_id)
    found = None if context.probes is None else context.probes.probe(address, brand_id, keys)
    return None if found is None else SignerProbeView(result=found.result, said=found.said)
