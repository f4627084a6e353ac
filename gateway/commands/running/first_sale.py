"""What `brand init --wait` does after a brand was registered: it waits for who has to act, looks at what `check` looks at, and sells.

It starts nothing and signs nothing for others: it says what is waited for, and can be stopped and said again at any time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from gateway.chain.connection import Chain
from gateway.commands.running.agent_here import gateway_authorities
from gateway.commands.running.brand_check import Around, BrandFindings, check_settings, look_around, what_a_sale_needs
from gateway.commands.running.brand_home import BrandHome
from gateway.second_people.gateway_client import GatewayClient
from gateway.secret_files import read_secret
from gateway.values.errors import Foreseen

INTERRUPTED = 130
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 15.0
_SHARE = 20  # of what was waited so far: an approver's delay is days, and who has just started an agent looks on


class FirstSale:
    """Of one brand; `found` is what was looked at last, `sold` whether the ledger has its purchase."""

    def __init__(self, home: BrandHome, gateway_url: str, api_key_file: Path, chain: Chain) -> None:
        self._home = home
        self._gateway_url = gateway_url
        self._api_key_file = api_key_file
        self._chain = chain
        self.found = BrandFindings(as_json=True)
        self.sold = False

    def make(self, member: str, wait_seconds: int, *, as_json: bool) -> None:
        """Ends the program with 130 where it is interrupted."""
        try:
            in_time = self._wait(wait_seconds)
            self.found = BrandFindings(as_json)
            if check_settings(self._home, self.found):
                self.sold = self._look(member)
        except KeyboardInterrupt:
            _say("stopped; nothing is lost by it: the same command goes on from here")
            raise SystemExit(INTERRUPTED) from None
        if not (in_time or self.found.is_over):
            _say(f"{wait_seconds} seconds are over: the same command waits on, and makes nothing twice")

    def view(self) -> dict[str, Any]:
        return {"sold": self.sold, **self.found.view()}

    def _wait(self, seconds: int) -> bool:
        """Until all is there that a sale needs, or nothing that comes can make it good; False when the time is over."""
        begun, told = time.monotonic(), ""
        while True:
            lacking = self._lacking()
            if not lacking or self.found.is_over:
                return True
            passed = time.monotonic() - begun
            if passed >= seconds:
                return False
            if (now := "\n  ".join(lacking)) != told:
                _say(f"waiting, for up to {seconds - int(passed)} seconds more (Ctrl-C stops it), for\n  {now}")
                told = now
            time.sleep(min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, passed / _SHARE), seconds - passed))

    def _lacking(self) -> list[str]:
        self.found = BrandFindings(as_json=True)
        around = self._around()
        try:
            what_a_sale_needs(self._home, around, self.found)
        except Foreseen as trouble:
            return [*self.found.lacking, str(trouble)]
        finally:
            around.gateway.close()
        return self.found.lacking

    def _look(self, member: str) -> bool:
        around = self._around()
        try:
            return look_around(self._home, around, self.found, member, self._home.trial_purchase)
        finally:
            around.gateway.close()

    def _around(self) -> Around:
        """With the brand's own API key once it is here."""
        key_file = self._home.api_key if self._home.api_key.exists() else self._api_key_file
        authorities = gateway_authorities(self._home, self._gateway_url)
        return Around(GatewayClient(self._gateway_url, read_secret(key_file), authorities=authorities), self._chain)


def _say(told: str) -> None:
    click.echo(told, err=True)
