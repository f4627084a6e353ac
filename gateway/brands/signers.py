"""Where each brand's signer is: what rounds ask when a batch waits for a signature."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gateway.brands.tables import BrandRow
from gateway.rounds.signer_port import SignerAddress


class SqlSignersDirectory:
    """Read afresh each time: an address may change while a batch waits."""

    def address(self, session: Session, brand_id: int) -> SignerAddress:
        brand = session.get_one(BrandRow, brand_id)
        return SignerAddress(brand.signer_url, brand.signer_token)
