"""Whether a brand's signer is there, and is the brand's: tried out at once, and never a reason to refuse what was asked."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.api.context import Context, ContextNeeded
from gateway.api.permissions import AsOperatorOrBrand, check_reads_brand
from gateway.api.problems import READS
from gateway.api.shapes import Body, BrandIdPath
from gateway.brands.probe_signer import probe_signer
from gateway.brands.rows import SqlBrands
from gateway.rounds.signer_port import ProbeResult
from gateway.values.errors import NotFound

router = APIRouter(prefix="/v1/brands", tags=["brands"])


class SignerProbeBody(Body):
    """Nothing to say: the signer is asked where the brand's settings say that it is."""


class SignerProbeView(BaseModel):
    """`result`: ok, not_there (nobody listens), unclear (no signer answers there), other_brand, other_key, wrong_token. `said` tells in
    words what to do. What does not answer now may a minute later."""

    result: ProbeResult
    said: str


@router.post("/{brand_id}/signer-probe", responses=READS)
def probe_brand_signer(
    brand_id: BrandIdPath, body: SignerProbeBody, caller: AsOperatorOrBrand, context: ContextNeeded
) -> SignerProbeView | None:
    """Asks the brand's signer who it is, as the gateway reaches it. Nothing is signed or stored; null where none is asked."""
    check_reads_brand(caller, brand_id)
    return probed(context, brand_id)


def probed(context: Context, brand_id: int) -> SignerProbeView | None:
    """No database transaction stays open while the signer is asked."""
    with context.reading() as work:
        brands = work.of(SqlBrands)
        if brands.find(brand_id) is None:
            raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
        address, keys = brands.signer_of(brand_id), brands.batch_keys(brand_id)
    if context.signers is None:
        return None
    found = probe_signer(address, brand_id, keys, signers=context.signers)
    return SignerProbeView(result=found.result, said=found.said)
