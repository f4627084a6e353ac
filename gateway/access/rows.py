"""API keys, idempotent requests, results of bulk requests, the record of privileged actions, and the gateway's own secrets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from gateway.access.api_key import ApiKey, Role
from gateway.access.ports import StoredRequest
from gateway.access.tables import ApiKeyRow, BulkResultRow, GatewaySecretRow, IdempotentRequestRow, PrivilegedActionRow
from gateway.store.unit_of_work import UnitOfWork


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
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, principal: str, idempotency_key: str) -> StoredRequest | None:
        row = self._session.get(IdempotentRequestRow, (principal, idempotency_key))
        return None if row is None else StoredRequest(row.content_hash, row.resource_kind, row.resource_id)

    def add(self, principal: str, idempotency_key: str, request: StoredRequest, at: int) -> None:
        self._session.execute(
            insert(IdempotentRequestRow).values(
                principal=principal,
                idempotency_key=idempotency_key,
                content_hash=request.content_hash,
                resource_kind=request.resource_kind,
                resource_id=request.resource_id,
                created_at=at,
            )
        )


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


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.key_id, row.key_hash, Role(row.role), row.brand_id, row.label, row.created_at, row.revoked_at)
