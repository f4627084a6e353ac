"""A brand's settings: whether activity keeps its points alive, what becomes of what a clawback could not take, where its signer is, and
which key signs its rules."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, StrictBool

from gateway.api.brand_signers import SignerProbeView, probed
from gateway.api.brands import SignerToken, SignerUrl, record_of_brand, the_brand
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, check_reads_brand
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, BrandIdPath, Word32
from gateway.brands.change_settings import change_settings, move_signer
from gateway.brands.rows import SqlBrands
from gateway.points.activity_rows import SqlActivities
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.hex import to_bytes
from gateway.values.ids import Address
from gateway.values.urls import without_secrets

router = Router(prefix="/v1/brands", tags=["brands"])
_OF_THE_SIGNER = ("signer_url", "signer_token", "reference_secret")
_LATER = (*_OF_THE_SIGNER, "publisher_address")


class SettingsBody(Body):
    """What is left out stays. `extends_by_activity`: what a member earns or pays with points at the brand moves her points of it to the
    expiry that points earned then have; the brand's signer must promise the same. `carries_clawbacks`: what a clawback could not take,
    since it was spent, is taken later from points of the brand that she still gets; otherwise it is written off. `signer_url` and
    `signer_token`: where the gateway asks for signatures from now on. `reference_secret` is corrected as long as nothing of the brand's
    stands on the ledger under another one. `publisher_address`: the key that signs the brand's rules from now on, which nothing else then
    publishes; the brand's agent goes by its own settings."""

    extends_by_activity: StrictBool | None = None
    carries_clawbacks: StrictBool | None = None
    signer_url: SignerUrl | None = None
    signer_token: SignerToken | None = None
    reference_secret: Word32 | None = None
    publisher_address: AddressText | None = None

    def content(self) -> dict[str, Any]:
        """What came later: requests that do not name it keep their hash."""
        return {name: value for name, value in super().content().items() if name not in _LATER or value is not None}

    @property
    def is_of_the_signer(self) -> bool:
        return any(getattr(self, name) is not None for name in _OF_THE_SIGNER)


class SettingsView(BaseModel):
    """`signer`: how it was found, where the request named anything of it."""

    extends_by_activity: bool
    carries_clawbacks: bool
    signer_url: str
    signer: SignerProbeView | None
    publisher_address: str | None


@router.post("/{brand_id}/settings", status_code=201, responses=WRITES)
def change_brand_settings(brand_id: BrandIdPath, body: SettingsBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> SettingsView:
    """Changes the settings. Activity counts from now on; what clawbacks fell short of is carried for as long as the setting says so. A
    signer that is named is tried out, and how it was found is told in `signer`, not refused."""
    check_reads_brand(caller, brand_id)

    def act(work: UnitOfWork) -> str:
        asked = {"extends_by_activity": body.extends_by_activity, "carries_clawbacks": body.carries_clawbacks}
        publisher = None if body.publisher_address is None else Address.parse(body.publisher_address)
        changed = change_settings(the_brand(work, brand_id), **asked, publisher_address=publisher, brands=work.of(SqlBrands))
        if body.extends_by_activity:
            work.of(SqlActivities).begin(brand_id)
        said = f"extends_by_activity {changed.extends_by_activity}, carries_clawbacks {changed.carries_clawbacks}"
        said += "" if publisher is None else f", publisher {publisher}"
        if body.is_of_the_signer:
            secret = None if body.reference_secret is None else to_bytes(body.reference_secret)
            move_signer(changed, url=body.signer_url, token=body.signer_token, reference_secret=secret, brands=work.of(SqlBrands))
            named = ", ".join(name for name in _OF_THE_SIGNER if getattr(body, name) is not None)
            said += f"; {named} set, signer at {without_secrets(work.of(SqlBrands).signer_of(brand_id).url)}"
        record_of_brand(work, caller, "change_settings", brand_id, said)
        return str(brand_id)

    write.once(caller, "brand_settings", body.content(), act)
    write.await_ledger([])
    with write.context.reading() as work:
        brand, url = the_brand(work, brand_id), work.of(SqlBrands).signer_of(brand_id).url
    return SettingsView(
        extends_by_activity=brand.extends_by_activity,
        carries_clawbacks=brand.carries_clawbacks,
        signer_url=without_secrets(url),
        signer=probed(write.context, brand_id) if body.is_of_the_signer else None,
        publisher_address=None if brand.publisher_address is None else str(brand.publisher_address),
    )
