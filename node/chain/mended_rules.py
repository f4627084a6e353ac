"""Rules of the execution specification that py-evm lacks; the Ethereum state tests show each of them."""

from eth.abc import SignedTransactionAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB
from eth.vm.forks.london.state import LondonState
from eth_typing import Address
from eth_utils.exceptions import ValidationError


class MendedRules(LondonState):
    """Mixed in before the state class of London or a later fork."""

    def has_code_or_nonce(self, address: Address) -> bool:
        """What a creation collides with: storage too (EIP-7610)."""
        if super().has_code_or_nonce(address):
            return True
        accounts = self._account_db
        assert isinstance(accounts, AccountDB)
        return accounts._get_storage_root(address) != BLANK_ROOT_HASH

    def validate_transaction(self, transaction: SignedTransactionAPI) -> None:
        """The sender can pay the value beside the highest fee, and no tip is above that fee (EIP-1559)."""
        if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
            raise ValidationError("max priority fee per gas higher than max fee per gas")
        super().validate_transaction(transaction)
        if self.get_balance(transaction.sender) < transaction.value + transaction.gas * transaction.max_fee_per_gas:
            raise ValidationError("insufficient funds for gas * price + value")
