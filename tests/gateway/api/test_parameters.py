"""Query parameters that a route does not know are refused, on every route."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.api.routing import BoundedRoute
from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.api.test_permissions import IDS, PAGES, ROUTES


def test_every_route_of_the_api_parses_bodies_within_bounds() -> None:
    assert {name for name, route in ROUTES.items() if not isinstance(route, BoundedRoute)} == PAGES


@pytest.fixture(scope="module")
def one_coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfflineCoalition]:
    """For all routes: what is refused leaves no trace."""
    coalition = OfflineCoalition(tmp_path_factory.mktemp("parameters"))
    coalition.brand(1)
    yield coalition
    coalition.close()


@pytest.mark.parametrize("name", ROUTES)
def test_an_unknown_parameter_is_refused(one_coalition: OfflineCoalition, name: str) -> None:
    coalition = one_coalition
    route = ROUTES[name]
    path = route.path.replace(":path}", "}").format(**IDS)
    who = "brand:1" if route.path.startswith("/v1") else "operator"
    for method in sorted(route.methods):
        with coalition.no_trace():
            answer = coalition.call(who, method, f"{path}?as_of=2017-03-15")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
        assert "as_of" in answer.json()["detail"]


def test_a_parameter_that_is_nearly_right_is_named(coalition: OfflineCoalition) -> None:
    answer = coalition.get("operator", "/v1/operations?limits=5")
    assert "do you mean limit?" in answer.json()["detail"]
    assert coalition.get("operator", "/v1/operations?limit=5&kind=issue").status_code == 200
