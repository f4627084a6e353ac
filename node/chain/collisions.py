"""EIP-7610: a contract is not created where storage stands, as code or a nonce already prevent it. py-evm lacks the rule."""

from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB
from eth.vm.state import BaseState
from eth_typing import Address


class StorageCollides(BaseState):
    """Mixed in before a fork's state class, whose CREATE, CREATE2 and creating transactions ask `has_code_or_nonce`."""

    def has_code_or_nonce(self, address: Address) -> bool:
        if super().has_code_or_nonce(address):
            return True
        accounts = self._account_db
        assert isinstance(accounts, AccountDB)
        return accounts._get_storage_root(address) != BLANK_ROOT_HASH
