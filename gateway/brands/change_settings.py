"""Change what a brand has decided on its own points beside its terms, and where its signer is: it holds for what comes after."""

from __future__ import annotations

from dataclasses import replace

from gateway.brands.brand import Brand
from gateway.brands.ports import Brands
from gateway.rounds.signer_port import SignerAddress
from gateway.values.errors import WrongState
from gateway.values.ids import Address


def change_settings(
    brand: Brand,
    *,
    extends_by_activity: bool | None,
    carries_clawbacks: bool | None,
    publisher_address: Address | None = None,
    brands: Brands,
) -> Brand:
    """What is None stays as it is."""
    extends = brand.extends_by_activity if extends_by_activity is None else extends_by_activity
    carries = brand.carries_clawbacks if carries_clawbacks is None else carries_clawbacks
    publisher = brand.publisher_address if publisher_address is None else publisher_address
    changed = replace(brand, extends_by_activity=extends, carries_clawbacks=carries, publisher_address=publisher)
    brands.change_settings(changed)
    return changed


def move_signer(brand: Brand, *, url: str | None, token: str | None, reference_secret: bytes | None, brands: Brands) -> None:
    """Where the brand's signer is asked from the next batch on; what is None stays as it is.

    The secret is what the brand's ids stand under on the ledger: it is corrected as long as nothing does.
    """
    known = brands.signer_of(brand.brand_id)
    secret = brand.reference_secret if reference_secret is None else reference_secret
    if secret != brand.reference_secret and brands.has_references(brand.brand_id):
        raise WrongState(
            "entries of the brand stand under its reference secret: give its signer that one; another would let a payment earn twice",
            field="reference_secret",
        )
    moved = SignerAddress(known.url if url is None else url, known.token if token is None else token)
    brands.move_signer(brand.brand_id, moved, secret)
