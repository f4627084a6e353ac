"""A second person's own directory: its key, the coalition it knows, when it first saw each act by its own clock, how many documents
it published, and the newest admission criteria by which it signed.

The key stands in a secret file, or encrypted (Web3 secret storage) where a passphrase is given.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateway.chain.operator_key import create_key_file, load_account
from gateway.ledger.admission import AdmissionCriteria
from gateway.second_people.known_coalition import KnownCoalition
from gateway.secret_files import UnsafeFile, make_secret, read_secret
from gateway.values.errors import Invalid, WrongState
from gateway.values.ids import Address, Hash

_KEY, _KEYSTORE = "owner.key", "keystore.json"
_COALITION, _SEEN, _PUBLISHED, _CRITERIA = "coalition.json", "acts-seen.json", "published.json", "criteria.json"

_VERSIONS_AHEAD = 1_000


@dataclass(frozen=True, slots=True)
class Person:
    """`home` is for this person alone."""

    home: Path
    account: LocalAccount

    @property
    def address(self) -> Address:
        return Address.parse(self.account.address)

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r, s, v as the contracts take them."""
        return bytes(self.account.unsafe_sign_hash(digest).signature)  # type: ignore[arg-type]

    def known(self, stated: KnownCoalition) -> KnownCoalition:
        """As its contracts state it; the first one is kept. Raises WrongState for another one: a signature could count elsewhere."""
        kept = self.remembered()
        if kept is None:
            _write(self.home / _COALITION, stated.as_json())
        elif kept.identity != stated.identity:
            raise WrongState(
                f"the gateway tells of another coalition than {self.home / _COALITION} does: ask the other people which is right; "
                "nothing was signed"
            )
        return stated

    def remembered(self) -> KnownCoalition | None:
        """The coalition as it was first seen; None for who has seen none."""
        before = _read(self.home / _COALITION)
        return None if before is None else KnownCoalition.parse(before)

    def published(self, brand_id: int) -> int:
        """The number of the last document of the brand that this person published; 0 for none."""
        return int((_read(self.home / _PUBLISHED) or {}).get(str(brand_id), 0))

    def note_published(self, brand_id: int, number: int) -> None:
        _write(self.home / _PUBLISHED, {**(_read(self.home / _PUBLISHED) or {}), str(brand_id): number})

    def signed_criteria(self) -> int:
        """The version of the admission criteria by which this person signed last; 0 for who has signed by none."""
        return int((_read(self.home / _CRITERIA) or {"version": 0})["version"])

    def check_criteria(self, told: AdmissionCriteria) -> None:
        """Raises WrongState where the gateway goes back behind the admission criteria by which this person signed last, or far beyond them:
        once that was signed, those that are true would count as gone back."""
        kept = _read(self.home / _CRITERIA)
        if told.version > self.signed_criteria() + _VERSIONS_AHEAD:
            raise WrongState(
                f"the gateway shows version {told.version} of the admission criteria, and you signed by version {self.signed_criteria()} "
                "last: no operator sets so many; ask the other people why; nothing was signed"
            )
        if kept is not None and (told.version < kept["version"] or (told.version == kept["version"] and str(told.hash) != kept["hash"])):
            raise WrongState(
                f"the gateway shows version {told.version} of the admission criteria otherwise than {self.home / _CRITERIA} knows version "
                f"{kept['version']}: ask the other people why; nothing was signed"
            )

    def note_criteria(self, told: AdmissionCriteria) -> None:
        """These were signed, and the approval beside them was taken."""
        _write(self.home / _CRITERIA, {"version": told.version, "hash": str(told.hash)})

    def first_saw(self, act: Hash, now: int) -> int:
        """When this person first saw the act, which is now for a new one."""
        seen = _read(self.home / _SEEN) or {}
        if str(act) not in seen:
            seen[str(act)] = now
            _write(self.home / _SEEN, seen)
        return int(seen[str(act)])


def make_person(home: Path, passphrase_file: Path | None = None) -> Address:
    """A new key in a directory for its owner alone; refuses where there is one."""
    if (home / _KEY).exists() or (home / _KEYSTORE).exists():
        raise WrongState(f"there is a key in {home} already: a key is never made twice; name another directory for another person")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if passphrase_file is None:
        create_key_file(home / _KEY)
    else:
        passphrase = read_secret(passphrase_file)
        if not passphrase:
            raise Invalid(f"{passphrase_file} is empty: write a passphrase into it")
        make_secret(home / _KEYSTORE, json.dumps(Account.encrypt(secrets.token_bytes(32), passphrase)))
    return open_person(home, passphrase_file).address


def open_person(home: Path, passphrase_file: Path | None = None) -> Person:
    """Raises UnsafeFile where there is no key, or the passphrase is not its own."""
    if not (home / _KEYSTORE).exists():
        return Person(home, load_account(home / _KEY))
    if passphrase_file is None:
        raise UnsafeFile(f"the key in {home} is encrypted: name the file of its passphrase with --passphrase-file")
    try:
        secret = Account.decrypt(json.loads(read_secret(home / _KEYSTORE)), read_secret(passphrase_file))
    except (ValueError, KeyError, TypeError):
        raise UnsafeFile(f"{passphrase_file} does not open {home / _KEYSTORE}: name the file of its passphrase") from None
    return Person(home, Account.from_key(secret))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text()) if path.exists() else None
    except ValueError:
        raise UnsafeFile(f"{path} is damaged: put it back from a backup") from None


def _write(path: Path, document: Any) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(document, indent=1))
    draft.replace(path)
