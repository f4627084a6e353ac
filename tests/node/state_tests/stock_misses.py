"""Post-states that stock py-evm misses, all mended by node/chain/mended_rules.py."""

# Contracts created where storage stands (EIP-7610): file → how many choices of data.
_CREATE_COLLISIONS = {
    "stCreate2/RevertInCreateInInitCreate2Paris": 1,
    "stCreate2/create2collisionStorageParis": 3,
    "stExtCodeHash/dynamicAccountOverwriteEmpty_Paris": 1,
    "stRevertTest/RevertInCreateInInit_Paris": 1,
    "stSStoreTest/InitCollisionParis": 4,
}
# Transactions that are not valid: a tip above the highest fee; funds for the effective price and not for the highest.
_INVALID_TRANSACTIONS = {
    "stEIP1559/tipTooHigh": 1,
    "stEIP1559/transactionIntinsicBug_Paris": 1,
}

STOCK_MISSES = [
    f"{file}:{file.split('/')[1]} d{data} g0 v0"
    for file, count in (_CREATE_COLLISIONS | _INVALID_TRANSACTIONS).items()
    for data in range(count)
]
