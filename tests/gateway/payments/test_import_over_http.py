"""Payment files over HTTP: kept whole or not used at all, once, and answered by line."""

from __future__ import annotations

import json

import pytest

from tests.builders.offline_coalition import OfflineCoalition
from tests.builders.payment_files import STRIPE_HEADER, TILL_MAPPING, send, stripe_file, stripe_row

GOOD = stripe_file(stripe_row(1, "A"), stripe_row(2, "B"))


def rows(coalition: OfflineCoalition) -> tuple[int, int, int]:
    counts = coalition.row_counts()
    return counts["payment_files"], counts["payment_records"], counts["payment_file_errors"]


def test_a_good_file_is_imported_with_all_its_rows(coalition: OfflineCoalition) -> None:
    answer = send(coalition, "brand:1", GOOD, "k1", expected_rows=2, expected_gross_minor=5000, file_name="march.csv")
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["status"], shown["row_count"], shown["record_count"], shown["error_count"]) == ("imported", 2, 2, 0)
    assert rows(coalition) == (1, 2, 0)
    assert coalition.get("brand:1", f"/v1/payment-files/{shown['payment_file_id']}").json() == shown


def test_broken_lines_are_named_and_the_good_ones_kept(coalition: OfflineCoalition) -> None:
    content = stripe_file(stripe_row(1, "A"), stripe_row(2, "B", "12345.6"), stripe_row(3, "C", on="2019-11-31"), stripe_row(4, "D"))
    shown = send(coalition, "brand:1", content, "k1").json()
    assert (shown["status"], shown["record_count"], [error["line_number"] for error in shown["errors"]]) == (
        "imported_with_errors",
        2,
        [3, 4],
    )
    assert "1 decimals, USD has 2" in shown["errors"][0]["reason"]
    first = coalition.get("brand:1", f"/v1/payment-files/{shown['payment_file_id']}/errors?limit=1").json()
    second = coalition.get("brand:1", f"/v1/payment-files/{shown['payment_file_id']}/errors?limit=1&cursor={first['next_cursor']}").json()
    assert [first["errors"][0], second["errors"][0]] == shown["errors"]
    assert rows(coalition) == (1, 2, 2)


@pytest.mark.parametrize(
    ("content", "query", "reason"),
    [
        (GOOD.replace(b"gross", b"amount"), {}, "unknown_layout"),
        (b"a;b;c\n1;2;3\n", {}, "unknown_layout"),
        (GOOD, {"expected_rows": 3}, "wrong_control_total"),
        (GOOD, {"expected_gross_minor": 4999}, "wrong_control_total"),
        (GOOD + b'txn_9,"', {}, "unreadable"),
        (GOOD.replace(b"A\n", b"\xff\n"), {}, "unreadable"),
    ],
)
def test_a_refused_file_is_kept_and_marked_and_none_of_its_rows_is_used(coalition, content, query, reason) -> None:
    answer = send(coalition, "brand:1", content, "k1", **query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "payment_file_refused"
    assert problem["facts"]["reason"].startswith(f"{reason}: ")
    assert rows(coalition) == (1, 0, 0)
    kept = coalition.get("brand:1", f"/v1/payment-files/{problem['facts']['payment_file_id']}").json()
    assert (kept["status"], kept["reason"]) == ("refused", problem["facts"]["reason"])
    assert send(coalition, "brand:1", content, "k1", **query).json() == problem
    assert send(coalition, "brand:1", content, "k2", **query).json() == problem
    assert rows(coalition) == (1, 0, 0)


def test_the_same_file_again_is_the_first_result_again(coalition: OfflineCoalition) -> None:
    first = send(coalition, "brand:1", GOOD, "k1")
    replayed = send(coalition, "brand:1", GOOD, "k1")
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"], replayed.json()) == (200, "true", first.json())
    assert send(coalition, "brand:1", GOOD, "k2", file_name="copy.csv").json() == first.json()
    assert rows(coalition) == (1, 2, 0)


def test_the_same_file_under_other_terms_is_refused_once_its_rows_are_used(coalition: OfflineCoalition) -> None:
    assert send(coalition, "brand:1", GOOD, "k1").status_code == 201
    answer = send(coalition, "brand:1", GOOD, "k2", expected_rows=7)
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")
    assert rows(coalition) == (1, 2, 0)


def test_a_refused_file_may_come_again_under_the_right_terms(coalition: OfflineCoalition) -> None:
    assert send(coalition, "brand:1", GOOD, "k1", expected_rows=7).status_code == 422
    assert send(coalition, "brand:1", GOOD, "k2", expected_rows=2).status_code == 201
    assert rows(coalition) == (2, 2, 0)


def test_the_same_key_for_another_file_is_refused(coalition: OfflineCoalition) -> None:
    assert send(coalition, "brand:1", GOOD, "k1").status_code == 201
    with coalition.no_trace():
        answer = send(coalition, "brand:1", stripe_file(stripe_row(3, "C")), "k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")


def test_a_record_that_came_before_is_kept_and_names_the_first(coalition: OfflineCoalition) -> None:
    send(coalition, "brand:1", GOOD, "k1")
    send(coalition, "brand:1", stripe_file(stripe_row(2, "B"), stripe_row(3, "C")), "k2")
    with coalition.database.read() as session:
        found = session.connection().exec_driver_sql(
            "SELECT provider_record_id, repeat_of FROM payment_records ORDER BY 1, payment_record_id"
        )
        assert [tuple(row) for row in found] == [("txn_1", None), ("txn_2", None), ("txn_2", 2), ("txn_3", None)]


def test_another_brands_file_of_the_same_content_is_its_own(coalition: OfflineCoalition) -> None:
    mine = send(coalition, "brand:1", GOOD, "k1").json()
    theirs = send(coalition, "brand:2", GOOD, "k1").json()
    assert mine["payment_file_id"] != theirs["payment_file_id"]
    assert coalition.get("brand:2", f"/v1/payment-files/{mine['payment_file_id']}").status_code == 404
    assert coalition.get("brand:2", f"/v1/payment-files/{mine['payment_file_id']}/errors").status_code == 404
    assert coalition.get("auditor", f"/v1/payment-files/{mine['payment_file_id']}").status_code == 200
    assert rows(coalition) == (2, 4, 0)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"layout": "adyen"}, 422, "invalid"),
        ({"layout": "mapped:none"}, 404, "not_found"),
        ({"layout": "mapped:none@x"}, 422, "invalid"),
        ({"time_zone": "Mars/Olympus"}, 422, "invalid"),
        ({"expected_rows": "-1"}, 422, "invalid"),
        ({"expected_row": "2"}, 422, "invalid"),
        ({"file_name": "a\nb"}, 422, "invalid"),
    ],
)
def test_a_request_that_cannot_be_understood_leaves_no_trace(coalition, query, status, code) -> None:
    with coalition.no_trace():
        answer = send(coalition, "brand:1", GOOD, "k1", **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_only_a_brand_sends_payment_files(coalition: OfflineCoalition) -> None:
    with coalition.no_trace():
        assert send(coalition, "operator", GOOD, "k1").status_code == 403
        assert send(coalition, "auditor", GOOD, "k1").status_code == 403


def test_a_mapped_file_is_read_by_the_version_that_is_named(coalition: OfflineCoalition) -> None:
    first = coalition.post("brand:1", "/v1/column-mappings", {"name": "till", "definition": TILL_MAPPING})
    again = coalition.post("brand:1", "/v1/column-mappings", {"name": "till", "definition": TILL_MAPPING})
    assert (first.status_code, first.json()["layout"], again.json()) == (201, "mapped:till@1", first.json())
    changed = TILL_MAPPING | {"delimiter": ","}
    assert coalition.post("brand:1", "/v1/column-mappings", {"name": "till", "definition": changed}).json()["version"] == 2
    assert coalition.get("brand:1", "/v1/column-mappings/till?version=1").json() == first.json()
    content = b"Txn;Receipt;Date;Total;Type\n1;A;16/03/2017 10:00;25.00;SALE\n2;A;16/03/2017 11:00;5.00;REFUND\nTOTAL;2;30.00\n"
    refused = send(coalition, "brand:1", content, "k1", layout="mapped:till")
    assert refused.json()["facts"]["reason"].startswith("unknown_layout")
    assert send(coalition, "brand:2", content, "k1", layout="mapped:till@1").status_code == 404
    shown = send(coalition, "brand:1", content, "k2", layout="mapped:till@1").json()
    assert (shown["layout"], shown["record_count"]) == ("mapped:till@1", 2)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "till", "definition": TILL_MAPPING | {"delimiter": ""}},
        {"name": "till", "definition": TILL_MAPPING | {"colour": "red"}},
        {"name": "../till", "definition": TILL_MAPPING},
        {"name": "till", "definition": []},
        {"name": "till"},
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_and_leaves_no_trace(coalition, body) -> None:
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/column-mappings", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_half_a_character_in_a_mapping_is_refused_and_leaves_no_trace(coalition: OfflineCoalition) -> None:
    text = json.dumps({"name": "till", "definition": TILL_MAPPING | {"provider": "\ud800"}})
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    with coalition.no_trace():
        answer = coalition.client.post("/v1/column-mappings", content=text.encode(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


def test_the_header_alone_is_a_file_without_rows(coalition: OfflineCoalition) -> None:
    assert send(coalition, "brand:1", f"{STRIPE_HEADER}\n".encode(), "k1").json()["row_count"] == 0
