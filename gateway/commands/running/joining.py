"""`splittally brand init`: everything that a brand needs to join, from what the gateway says and the contracts confirm."""

from __future__ import annotations

import ipaddress
import shlex
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from gateway.chain.connection import Chain
from gateway.commands.running.brand_home import GATEWAY_CA, BrandHome, coalition_of_agent, own_person
from gateway.commands.running.first_sale import FirstSale
from gateway.commands.running.joined import Joined, next_words, shown, waits_for, words
from gateway.commands.running.printing import print_json
from gateway.commands.running.publishing import signed_rule
from gateway.commands.running.trial_purchase import OWN_MEMBER, is_member
from gateway.commands.running.troubles import troubles_named
from gateway.foreign.authorities import NoAuthorities, only_those_of
from gateway.ledger.signing import Domain
from gateway.loyalty.rule_document import RuleDocument
from gateway.second_people.gateway_client import GatewayClient
from gateway.second_people.person import open_person
from gateway.secret_files import make_secret, read_or_make, read_secret
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import BadHex, hex_text
from gateway.values.ids import Address, Hash


@troubles_named
def join(directory: Path, gateway_url: str, api_key_file: Path, rpc_url: str, as_json: bool, **asked: Any) -> None:
    home, (terms, (host, port)) = BrandHome(directory), _checked(asked)
    context = click.get_current_context()
    authorities = _authorities(asked["gateway_ca"], gateway_url)
    gateway, chain = GatewayClient(gateway_url, read_secret(api_key_file), authorities=authorities), Chain(rpc_url)
    context.call_on_close(gateway.close)
    context.call_on_close(chain.close)
    _, ledger = coalition_of_agent(gateway, chain)
    _check_free(gateway, home, asked["brand_id"], asked["name"])
    home.make()
    if asked["gateway_ca"] is not None:
        home.gateway_ca.write_bytes(asked["gateway_ca"].read_bytes())
    publisher = _person(home.publisher, asked["publisher"])
    home.keep(home.settings, _agent_settings(asked, terms, (host, port), ledger, gateway_url, publisher))
    _sign_first_rule(home, asked, ledger)
    _make_till_token(home)
    scheme = "http" if asked["tls_certificate"] is None else "https"
    url = asked["signer_url"] or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    body = _registration(home, asked, terms, url)
    home.keep(home.registration, body)
    registered = _registered(gateway, body)
    has_api_key = home.api_key.exists() or (registered is not None and _opened(gateway, home, asked))
    status = _status(gateway, asked["brand_id"])
    if registered is not None and status not in (None, "pending"):
        registered = registered | {"operation": gateway.read(f"/v1/operations/{registered['operation']['operation_id']}")}
    waits = waits_for(gateway.read("/v1/coalition")) if status in (None, "pending") else None
    check = ["splittally", "brand", "check", "--dir", str(directory), "--gateway", gateway_url, "--rpc", rpc_url, "--test-purchase"]
    joined = Joined(home, body, registered, has_api_key, waits, shlex.join(check))
    wait, sale = asked["wait"], FirstSale(home, gateway_url, api_key_file, chain)
    if not as_json:
        click.echo("\n".join([*words(joined), *(next_words(joined) if wait is None else [])]))
    if wait is not None:
        sale.make(asked["member"] or OWN_MEMBER, wait, as_json=as_json)
    if as_json:
        print_json(shown(joined) | ({} if wait is None else {"checked": sale.view()}))
    if wait is not None and not sale.sold:
        raise SystemExit(1)


def _checked(asked: dict[str, Any]) -> tuple[dict[str, dict[str, int]], tuple[str, int]]:
    """Terms, and where the agent listens. Raises Invalid, which names every option that cannot be; nothing is written before."""
    wrong: dict[str, str] = {}
    terms = {name: _ratio(name, asked[name], wrong) for name in ("par", "redemption")}
    has_tls = asked["tls_certificate"] is not None
    listen = _listen(asked["listen"], wrong, has_tls=has_tls)
    if has_tls != (asked["tls_key"] is not None):
        wrong["--tls-certificate"] = "and --tls-key go together"
    for name in ("owner", "publisher"):
        _address(name, asked[name], wrong)
    if asked["member"] is not None and asked["wait"] is None:
        wrong["--test-purchase"] = "goes with --wait SECONDS: nothing is sold before the brand is let in"
    elif asked["member"] not in (None, OWN_MEMBER) and not is_member(asked["member"]):
        wrong["--test-purchase"] = f"is {asked['member']}: a member's id is 0x and 40 hex digits"
    if wrong:
        told = "; ".join(f"{option} {reason}" for option, reason in wrong.items())
        raise Invalid(f"{told}; nothing was written", errors=[{"field": option, "reason": reason} for option, reason in wrong.items()])
    return terms, listen


def _authorities(gateway_ca: Path | None, gateway_url: str) -> ssl.SSLContext | None:
    """Whom to believe of the gateway's certificate; None: the public ones. Raises Invalid; nothing is written before."""
    if gateway_ca is None:
        return None
    if not gateway_url.startswith("https://"):
        raise Invalid("--gateway-ca is for a --gateway with https://; nothing was written")
    try:
        return only_those_of(gateway_ca)
    except NoAuthorities as error:
        raise Invalid(f"--gateway-ca cannot be used: {error}; nothing was written") from error


def _ratio(name: str, text: str, wrong: dict[str, str]) -> dict[str, int]:
    minor, _, points = text.partition("/")
    if not (minor.isdecimal() and points.isdecimal() and int(minor) and int(points)):
        wrong[f"--{name}"] = f"is {text}: write minor units by points, such as 1/1 or 4/5"
        return {}
    return {"numerator": int(minor), "denominator": int(points)}


def _listen(text: str, wrong: dict[str, str], *, has_tls: bool) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not port.isdecimal() or not 0 < int(port) < 65_536 or not (_is_loopback(host) or (has_tls and host)):
        wrong["--listen"] = (
            f"is {text}: write a loopback address and a port, such as 127.0.0.1:8700, or any with --tls-certificate; "
            "where the gateway reaches it is --signer-url"
        )
        return "", 0
    return host, int(port)


def _address(name: str, text: str | None, wrong: dict[str, str]) -> None:
    try:
        if text is not None:
            Address.parse(text)
    except BadHex:
        wrong[f"--{name}"] = f"is {text}: 0x and 40 hex digits are due, as `splittally owner-key address` prints them"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_free(gateway: GatewayClient, home: BrandHome, brand_id: int, name: str) -> None:
    """Before anything is written: what is kept under a number stays under it."""
    if home.registration.exists():
        return
    brands = gateway.read("/v1/brands")
    for brand in brands:
        if brand["brand_id"] == brand_id:
            free = max(each["brand_id"] for each in brands) + 1
            raise Invalid(f"brand {brand_id} is {brand['name']}: name another --brand-id, such as {free}; nothing was written")
        if brand["name"] == name:
            raise Invalid(f"{name} is brand {brand['brand_id']}: take another --name; nothing was written")


def _agent_settings(
    asked: dict[str, Any],
    terms: dict[str, dict[str, int]],
    listen: tuple[str, int],
    ledger: dict[str, Any],
    gateway_url: str,
    publisher: Address,
) -> dict[str, Any]:
    """Without a rule: the agent follows what the publisher signs, from the first version on."""
    redemption = terms["redemption"]
    named = ("tls_certificate", "tls_key")
    tls = {name: str(asked[name].resolve()) for name in named if asked[name] is not None}
    if asked["gateway_ca"] is not None:
        tls["gateway_ca"] = GATEWAY_CA
    return {
        "brand_id": asked["brand_id"],
        "listen": dict(zip(("host", "port"), listen, strict=True)),
        "coalition": ledger,
        **({} if asked["key_credential"] is None else {"key": {"credential": asked["key_credential"]}}),
        "agent": {"gateway_url": gateway_url, "publisher": str(publisher)} | tls,
        "programme": {
            "rules": [],
            "earn_on_tax": asked["earn_on_tax"],
            "lot_validity_months": asked["lot_validity_months"],
            "unlisted_points_max": 0,
            "redemption": {"minor": redemption["numerator"], "points": redemption["denominator"]},
        },
    }


def _sign_first_rule(home: BrandHome, asked: dict[str, Any], ledger: dict[str, Any]) -> None:
    """In force since ever once the agent has confirmed it. Where the publisher's key is elsewhere, it is signed there."""
    if not home.publisher.exists():
        return
    domain = Domain(ledger["chain_id"], Address.parse(ledger["points_address"]), Hash.parse(ledger["coalition_id"]))
    document = RuleDocument(asked["brand_id"], 1, asked["points"], asked["per_minor"], 0)
    home.keep(home.first_rule, signed_rule(document, open_person(home.publisher), domain))


def _make_till_token(home: BrandHome) -> None:
    """The agent makes it, and keeps its hash alone."""
    number = 1
    while not home.till_token.exists():
        command = [sys.executable, "-m", "gateway.brand_agent", "till", "add", f"till-{number}", "--config", str(home.settings)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            make_secret(home.till_token, done.stdout.strip())
        elif "there is a till" not in done.stderr:
            raise WrongState(done.stderr.strip().removeprefix("brand agent: "))
        number += 1


def _registration(home: BrandHome, asked: dict[str, Any], terms: dict[str, dict[str, int]], url: str) -> dict[str, Any]:
    """Exactly the body of POST /v1/brands."""
    return {
        "brand_id": asked["brand_id"],
        "name": asked["name"],
        "key_address": str(home.batch_key_address()),
        "signer_url": url,
        "signer_token": read_or_make(home.agent / "token").hex(),
        "reference_secret": hex_text(read_or_make(home.agent / "reference_secret")),
        "issue_limit": asked["issue_limit"],
        **({"managed": True} if asked["managed"] else {}),
        **terms,
        **{name: asked[name] for name in ("lot_validity_months", "earn_on_tax", "fee_basis_points", "run_off_days", "notice_days")},
        "owner_address": str(_person(home.owner, asked["owner"])),
        "publisher_address": str(_person(home.publisher, asked["publisher"])),
    }


def _person(place: Path, named: str | None) -> Address:
    """Of whom it is named, or of whose key is here, made at the first time."""
    if named is not None:
        return Address.parse(named)
    return own_person(place)


def _registered(gateway: GatewayClient, body: dict[str, Any]) -> dict[str, Any] | None:
    """The gateway's answer to the operator's key; None to any other key."""
    try:
        return gateway.post("/v1/brands", body)
    except Invalid as refused:
        if refused.facts.get("code") == "not_permitted":
            return None
        raise


def _opened(gateway: GatewayClient, home: BrandHome, asked: dict[str, Any]) -> bool:
    """What the operator's key does besides: the first rule, and an API key for the agent; False where its token was told before."""
    path = f"/v1/brands/{asked['brand_id']}"
    if home.first_rule.exists():
        rule = {name: value for name, value in home.read(home.first_rule).items() if name != "brand_id"}
        gateway.post(f"{path}/rules", rule)
    token = gateway.post(f"{path}/api-keys", {"label": "agent"})["token"]
    return token is not None and make_secret(home.api_key, token)


def _status(gateway: GatewayClient, brand_id: int) -> str | None:
    """The brand's, if it is registered."""
    brands = gateway.read("/v1/brands")
    return next((str(each["status"]) for each in brands if each["brand_id"] == brand_id), None)
