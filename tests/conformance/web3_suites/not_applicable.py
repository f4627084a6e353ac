"""Cases of web3.py's suites that no node reached over JSON-RPC can pass, or that race with themselves, and why."""

ASYNC_TYPED_DATA = "web3.py's asynchronous sign_typed_data fails before it sends anything (ValueError in async_map_if_collection)"
LOCAL_VALIDATION = "expects web3.py's own Web3ValueError, which only an in-process backend raises: a node's refusal is a Web3RPCError"
DROPPED_SESSION = "the suite's mock drops its HTTP session before the body is read: passes or fails by chance"

# (class, start of the test's name) → reason, and whether it always fails
NOT_APPLICABLE: dict[tuple[str, str], tuple[str, bool]] = {
    ("TestAsyncEth", "test_eth_sign_typed_data["): (ASYNC_TYPED_DATA, True),
    ("TestAsyncEth", "test_invalid_eth_sign_typed_data["): (ASYNC_TYPED_DATA, True),
    ("TestEth", "test_invalid_eth_sign_typed_data["): (LOCAL_VALIDATION, True),
    ("TestAsyncEth", "test_eth_call_offchain_lookup_tries_next_url_for_non_4xx"): (DROPPED_SESSION, False),
}

# Begun right after a block, so that what they send still waits when they look at it.
NEEDS_A_WAIT = ("replace", "modify", "unmined", "pending")


def reason_not_applicable(class_name: str, test_name: str) -> tuple[str, bool] | None:
    for (owner, start), found in NOT_APPLICABLE.items():
        if owner == class_name and test_name.startswith(start):
            return found
    return None
