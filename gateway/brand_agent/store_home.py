"""A new store's folder: settings of an agent that only forwards, and its token at the brand's agent. No key of the brand's is in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from gateway.brand_agent.config import AgentConfig
from gateway.brand_agent.gateway_client import names_of
from gateway.brand_agent.store_config import load_any_config
from gateway.brand_agent.tills import OF_A_STORE, WrongTill, add_till
from gateway.secret_files import make_private_folder, make_secret


@dataclass(frozen=True, slots=True)
class NewStore:
    """`listen`: HOST:PORT; `ca`: the authority of the brand's agent's certificate."""

    folder: Path
    upstream_url: str
    ca: Path | None
    listen: str


def add_store(brand: AgentConfig, name: str, new: NewStore) -> Path:
    """Where its settings are. Nothing is added at the brand's agent before they are found good; raises BadConfig, WrongTill and OSError."""
    settings, token_file = new.folder / "agent.json", new.folder / "upstream_token"
    for path in (settings, token_file):
        if path.exists():
            raise WrongTill(f"{path} is there: name another --dir")
    make_private_folder(new.folder)
    if new.ca is not None:
        shutil.copyfile(new.ca, new.folder / "ca.pem")
    settings.write_text(json.dumps(_settings(brand, new), indent=1) + "\n")
    try:
        load_any_config(settings)
        token = add_till(brand.tills_file, name, OF_A_STORE)
    except BaseException:
        settings.unlink()
        raise
    make_secret(token_file, token)
    return settings


def _settings(brand: AgentConfig, new: NewStore) -> dict[str, object]:
    signer, (host, _, port) = brand.signer, new.listen.rpartition(":")
    priced = signer.programme.redemption
    agent: dict[str, object] = {"upstream_url": new.upstream_url}
    if new.ca is not None:
        agent["upstream_ca"] = "ca.pem"
    if priced is not None:
        agent["redemption"] = {"minor": priced.numerator, "points": priced.denominator}
    return {
        "brand_id": signer.brand_id,
        "listen": {"host": host.removeprefix("[").removesuffix("]"), "port": int(port) if port.isdecimal() else port},
        "coalition": {**names_of(signer.domain), "utc_offset_seconds": signer.utc_offset_seconds, "sandbox": signer.sandbox},
        "agent": agent,
    }
