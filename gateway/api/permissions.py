"""Who may call a route: a bearer key with one of the named roles. `permit(Role.BRAND, …)` is a dependency that gives the Caller."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.access.api_key import Caller, Role
from gateway.api.door.entrance import CALLER
from gateway.values.errors import NotAuthenticated, NotFound, NotPermitted

bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `<key id>.<secret>`")

EVERYONE = (Role.OPERATOR, Role.BRAND, Role.AUDITOR)


async def authenticated(request: Request, _sent: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    """The caller whose key this is: the door has looked before it took the body."""
    caller: Caller | None = request.scope[CALLER]
    if caller is None:
        raise NotAuthenticated("send an API key: Authorization: Bearer <key>")
    return caller


def permit(*roles: Role) -> Callable[[Caller], Coroutine[None, None, Caller]]:
    """A dependency that lets these roles pass. As all that look at memory alone, it is a coroutine: a thread would cost more than it."""

    async def permitted(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
        if caller.role not in roles:
            raise NotPermitted(f"this needs the role {' or '.join(roles)}, not {caller.role}")
        return caller

    return permitted


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
