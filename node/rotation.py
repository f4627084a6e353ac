"""`sealer rotate`: another key seals from the next block on, and the one before signs that it does.

The new key is on disk before the block that hands over is; which of the two counts is what that block's one commit says. So it may be
stopped at any moment: whoever opens the chain next finds the key of its sealer.
"""

import secrets
import time
from collections.abc import Callable

from eth_keys.datatypes import PrivateKey

from node.app import open_chain
from node.chain.pool import Pool
from node.chain.sealing import Handover
from node.config import DataDirectory
from node.producer import BlockProducer


def rotate(directory: DataDirectory, wall_clock: Callable[[], float] = time.time) -> Handover:
    """Seals one empty block. The old key is gone from the directory afterwards. Raises a ChainError, and then nothing was changed."""
    with open_chain(directory) as history:
        key, following = directory.sealer_key(), PrivateKey(secrets.token_bytes(32))
        directory.write_next_key(following)
        BlockProducer(history, Pool(), key, wall_clock).hand_over(following)
        sealers = history.sealers
        directory.key_of(sealers.last)
        return sealers.handovers[-1]
