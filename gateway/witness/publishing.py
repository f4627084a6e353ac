"""Brings a checkpoint to the coalition's gateway, which serves it and puts it into receipts."""

from __future__ import annotations

import json

from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.ledger.checkpoints import Checkpoint
from gateway.secret_files import read_secret
from gateway.values.hex import hex_text
from gateway.values.printing import printable
from gateway.values.urls import without_secrets
from gateway.witness.settings import WitnessSettings

_ANSWER_BYTES_MAX = 2**20


class NotPublished(Exception):
    """The gateway did not take it; it stands in the log and is brought again."""


class Publishing:
    """Each checkpoint until it is taken, once."""

    def __init__(self, url: str, api_key: str, timeout_seconds: float = 30.0) -> None:
        self._url = f"{url.rstrip('/')}/v1/checkpoints"
        self._shown_url = printable(without_secrets(url))
        self._api_key = api_key
        self._client = ForeignClient(seconds=timeout_seconds, bytes_max=_ANSWER_BYTES_MAX, addresses=None)
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
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"checkpoint-{checkpoint.digest}",
        }
        try:
            answer = self._client.ask("POST", self._url, headers, json.dumps(body).encode())
        except (NotConnected, NoAnswer) as error:
            raise NotPublished(f"the gateway at {self._shown_url} does not answer: {error}") from error
        if answer.status not in (200, 201):
            said = printable(answer.content.decode(errors="replace"))
            raise NotPublished(f"the gateway at {self._shown_url} answers {answer.status}: {said}")
        self._taken = checkpoint
