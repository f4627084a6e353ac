"""Brings a checkpoint to the coalition's gateway, which serves it and puts it into receipts."""

from __future__ import annotations

import httpx

from gateway.ledger.checkpoints import Checkpoint
from gateway.secret_files import read_secret
from gateway.values.hex import hex_text
from gateway.values.urls import without_secrets
from gateway.witness.settings import WitnessSettings


class NotPublished(Exception):
    """The gateway did not take it; it stands in the log and is brought again."""


class Publishing:
    """Each checkpoint until it is taken, once."""

    def __init__(self, url: str, api_key: str, timeout_seconds: float = 30.0) -> None:
        self._shown_url = without_secrets(url)
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False, headers={"Authorization": f"Bearer {api_key}"})
        self._taken: Checkpoint | None = None

    @classmethod
    def of(cls, settings: WitnessSettings) -> Publishing | None:
        """Raises UnsafeFile for an API key that others may read."""
        if settings.publish_url is None or settings.api_key_file is None:
            return None
        return cls(settings.publish_url, read_secret(settings.api_key_file))

    def publish(self, checkpoint: Checkpoint) -> None:
        """Raises NotPublished."""
        if checkpoint == self._taken:
            return
        body = {
            "number": checkpoint.number,
            "block_hash": str(checkpoint.block_hash),
            "block_time": checkpoint.block_time,
            "witnessed_at": checkpoint.witnessed_at,
            "witness": str(checkpoint.witness),
            "signature": hex_text(checkpoint.signature),
        }
        try:
            answer = self._client.post("/v1/checkpoints", json=body, headers={"Idempotency-Key": f"checkpoint-{checkpoint.digest}"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotPublished(f"the gateway at {self._shown_url} does not answer: {error or type(error).__name__}") from error
        if answer.status_code not in (200, 201):
            raise NotPublished(f"the gateway at {self._shown_url} answers {answer.status_code}: {answer.text[:300]}")
        self._taken = checkpoint
