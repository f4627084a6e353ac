"""Post-states that stock py-evm misses: contracts created where storage stands (EIP-7610), mended by node/chain/collisions.py."""

_BY_FILE = {
    "stCreate2/RevertInCreateInInitCreate2Paris": 1,
    "stCreate2/create2collisionStorageParis": 3,
    "stExtCodeHash/dynamicAccountOverwriteEmpty_Paris": 1,
    "stRevertTest/RevertInCreateInInit_Paris": 1,
    "stSStoreTest/InitCollisionParis": 4,
}

STOCK_MISSES = [f"{file}:{file.split('/')[1]} d{data} g0 v0" for file, count in _BY_FILE.items() for data in range(count)]
