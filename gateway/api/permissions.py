"""Who may call a route: a bearer key with one of the named roles. `permit(Role.BRAND, …)` is a dependency that gives the Caller."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from gateway.access.api_key import Caller, Role
from gateway.api.door.entrance import CALLER
from gateway.values.errors import NotAuthenticated, NotFound, NotPermitted

EVERYONE = (Role.OPERATOR, Role.BRAND, Role.AUDITOR)


class permit(HTTPBearer):  # noqa: N801  # named as it is written at a route
    """Lets these roles pass. One dependency, in memory: each further one would cost as much as the rest of a short answer."""

    def __init__(self, *roles: Role) -> None:
        super().__init__(scheme_name="ApiKey", description="An API key: `<key id>.<secret>`", auto_error=False)
        self._roles = roles

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]  # the caller, and not what was sent
        """Whose key this is, the door has found before it took the body."""
        caller: Caller | None = request.scope[CALLER]
        if caller is None:
            raise NotAuthenticated("send an API key: Authorization: Bearer <key>")
        if caller.role not in self._roles:
            raise NotPermitted(f"this needs the role {' or '.join(self._roles)}, not {caller.role}")
        return caller


def brand_of(caller: Caller) -> int:
    """The brand of a caller that `permit(Role.BRAND)` let pass."""
    assert caller.brand_id is not None, "a brand's key names its brand"
    return caller.brand_id


def check_reads_brand(caller: Caller, brand_id: int | None) -> None:
    """To a brand, what is another brand's does not exist."""
    if not caller.may_read_brand(brand_id):
        raise NotFound("there is no such thing of your brand")


AsReader = Annotated[Caller, Depends(permit(*EVERYONE))]
AsOperator = Annotated[Caller, Depends(permit(Role.OPERATOR))]
AsBrand = Annotated[Caller, Depends(permit(Role.BRAND))]
AsOperatorOrBrand = Annotated[Caller, Depends(permit(Role.OPERATOR, Role.BRAND))]
