"""Every write happens once: the caller's idempotency key stands for one content and one resource, for ever."""

from __future__ import annotations

from collections.abc import Callable

from gateway.access.ports import Requests, StoredRequest
from gateway.values.ids import Hash
from gateway.values.references import check_external_id, check_same_content


def once(
    principal: str, idempotency_key: str, content: Hash, kind: str, act: Callable[[], str], *, requests: Requests, now: int
) -> tuple[str, bool]:
    """(the resource's id, whether it is shown again). `content` is the hash of what was asked, and where."""
    check_external_id("Idempotency-Key", idempotency_key)
    earlier = requests.find(principal, idempotency_key)
    if earlier is not None:
        check_same_content("Idempotency-Key", idempotency_key, earlier.content_hash, content)
        return earlier.resource_id, True
    resource_id = act()
    requests.add(principal, idempotency_key, StoredRequest(content, kind, resource_id), now)
    return resource_id, False
