"""API keys, idempotent requests, results of bulk requests, the record of privileged actions, and the gateway's own secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, insert, select, tuple_, update

from gateway.access.api_key import ApiKey, Role
from gateway.access.ports import StoredRequest
from gateway.access.tables import ApiKeyRow, BulkResultRow, GatewaySecretRow, IdempotentRequestRow, PrivilegedActionRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.store.upsert import insert_rows


class SqlApiKeys:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, key_id: str) -> ApiKey | None:
        row = self._session.get(ApiKeyRow, key_id)
        return None if row is None else _key(row)

    def find_all(self, key_ids: Sequence[str]) -> dict[str, ApiKey]:
        """Those that there are, by their ids; a few hundred at most are asked for."""
        return {row.key_id: _key(row) for row in self._session.scalars(select(ApiKeyRow).where(ApiKeyRow.key_id.in_(key_ids)))}

    def all(self) -> list[ApiKey]:
        """Oldest first."""
        rows = self._session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.key_id))
        return [_key(row) for row in rows]

    def add(self, key: ApiKey) -> None:
        self._session.execute(
            insert(ApiKeyRow).values(
                key_id=key.key_id,
                key_hash=key.key_hash,
                role=key.role.value,
                brand_id=key.brand_id,
                label=key.label,
                created_at=key.created_at,
                revoked_at=key.revoked_at,
            )
        )

    def revoke(self, key_id: str, at: int) -> None:
        self._session.execute(update(ApiKeyRow).where(ApiKeyRow.key_id == key_id).values(revoked_at=at))


class SqlRequests:
    """New ones are inserted together when the unit of work ends."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[tuple[str, str], StoredRequest | None] = {}
        self._new: list[dict[str, object]] = []
        work.before_reading(self.flush)

    def find(self, principal: str, idempotency_key: str) -> StoredRequest | None:
        if (principal, idempotency_key) not in self._seen:
            self.prefetch([(principal, idempotency_key)])
        return self._seen[principal, idempotency_key]

    def prefetch(self, keys: Iterable[tuple[str, str]]) -> None:
        """Reads many at once, by principal and idempotency key."""
        for some in chunks(keys):
            self._seen.update(dict.fromkeys(some))
            for principal, key, content, kind, resource_id in self._session.execute(_REQUESTS, {"named": some}):
                self._seen[principal, key] = StoredRequest(content, kind, resource_id)

    def add(self, principal: str, idempotency_key: str, request: StoredRequest, at: int) -> None:
        self._seen[principal, idempotency_key] = request
        self._new.append(
            {
                "principal": principal,
                "idempotency_key": idempotency_key,
                "content_hash": request.content_hash,
                "resource_kind": request.resource_kind,
                "resource_id": request.resource_id,
                "created_at": at,
            }
        )

    def flush(self) -> None:
        insert_rows(self._session, IdempotentRequestRow, self._new)
        self._new.clear()


class SqlBulkResults:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, bulk_id: str) -> str | None:
        """The stored JSON."""
        return self._session.scalar(select(BulkResultRow.results).where(BulkResultRow.bulk_id == bulk_id))

    def add(self, bulk_id: str, kind: str, results: str, at: int) -> None:
        self._session.execute(insert(BulkResultRow).values(bulk_id=bulk_id, kind=kind, results=results, created_at=at))


class SqlPrivilegedActions:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def record(self, at: int, principal: str, action: str, subject: str, detail: str) -> None:
        self._session.execute(insert(PrivilegedActionRow).values(at=at, principal=principal, action=action, subject=subject, detail=detail))


class SqlSecrets:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, name: str) -> bytes | None:
        return self._session.scalar(select(GatewaySecretRow.secret).where(GatewaySecretRow.name == name))

    def add(self, name: str, secret: bytes) -> None:
        self._session.execute(insert(GatewaySecretRow).values(name=name, secret=secret))


_REQUESTS = select(
    IdempotentRequestRow.principal,
    IdempotentRequestRow.idempotency_key,
    IdempotentRequestRow.content_hash,
    IdempotentRequestRow.resource_kind,
    IdempotentRequestRow.resource_id,
).where(tuple_(IdempotentRequestRow.principal, IdempotentRequestRow.idempotency_key).in_(bindparam("named", expanding=True)))


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.key_id, row.key_hash, Role(row.role), row.brand_id, row.label, row.created_at, row.revoked_at)
