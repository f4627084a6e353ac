"""web3.py's own suite for lasting connections over WebSocket: subscriptions to heads, logs and waiting transactions."""

import pytest
from web3._utils.module_testing.persistent_connection_provider import PersistentConnectionProviderTest

BLOCK_SECONDS = 1
OVER_WEBSOCKET = True
pytestmark = pytest.mark.filterwarnings("default")


class TestPersistentConnection(PersistentConnectionProviderTest):
    pass
