"""Layouts by their name: `stripe-payout-reconciliation`, `mapped:NAME` (the newest version) and `mapped:NAME@VERSION`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from functools import partial

from gateway.payments.formats import mapped_csv, stripe_payout_reconciliation
from gateway.payments.formats.mapped_csv import read_mapped_csv
from gateway.payments.formats.stripe_payout_reconciliation import StripeOptions, read_stripe_report
from gateway.payments.mapping import column_mapping, time_zone
from gateway.payments.ports import ColumnMappings, FileReader
from gateway.payments.record import RowsRead
from gateway.values.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that stands: its full name, the options in effect, and how to read a file of it."""

    name: str
    options: Mapping[str, str]
    reader: FileReader


def layout_named(
    name: str,
    options: Mapping[str, str],
    *,
    brand_id: int,
    mappings: ColumnMappings,
    utc_offset_seconds: int,
    progress: RowsRead | None = None,
) -> Layout:
    """`options`: reference_column and time_zone of a Stripe report; a mapped layout has all of it in its mapping."""
    if name == stripe_payout_reconciliation.LAYOUT:
        return _stripe(options, timezone(timedelta(seconds=utc_offset_seconds)), progress)
    if name.startswith(mapped_csv.LAYOUT_PREFIX):
        if options:
            raise Invalid(f"{', '.join(sorted(options))}: a mapped layout has its options in its mapping", field="layout")
        return _mapped(name.removeprefix(mapped_csv.LAYOUT_PREFIX), brand_id, mappings, progress)
    raise Invalid(f"unknown layout {name[:64]!r}: {stripe_payout_reconciliation.LAYOUT} or mapped:NAME", field="layout")


def _stripe(options: Mapping[str, str], business_zone: tzinfo, progress: RowsRead | None) -> Layout:
    unknown = sorted(set(options) - {"reference_column", "time_zone"})
    if unknown:
        raise Invalid(f"a Stripe report has no option {', '.join(unknown)}", field="layout")
    column = options.get("reference_column", stripe_payout_reconciliation.REFERENCE_COLUMN)
    zone_name = options.get("time_zone", "UTC")
    if not 1 <= len(column) <= 128:
        raise Invalid("reference_column has 1 to 128 characters", field="reference_column")
    reader = partial(read_stripe_report, options=StripeOptions(business_zone, time_zone(zone_name), column), progress=progress)
    return Layout(stripe_payout_reconciliation.LAYOUT, {"reference_column": column, "time_zone": zone_name}, reader)


def _mapped(name: str, brand_id: int, mappings: ColumnMappings, progress: RowsRead | None) -> Layout:
    name, _, version_text = name.partition("@")
    found: tuple[int, str] | None
    if version_text:
        if not (version_text.isascii() and version_text.isdigit() and len(version_text) <= 9):
            raise Invalid("a mapping's version is a number", field="layout")
        definition = mappings.version(brand_id, name, int(version_text))
        found = None if definition is None else (int(version_text), definition)
    else:
        found = mappings.latest(brand_id, name)
    if found is None:
        raise NotFound(f"the brand has no column mapping {name[:64]!r}{version_text and ' of version ' + version_text}", field="layout")
    version, definition = found
    mapping = column_mapping(json.loads(definition), name=name)
    return Layout(f"{mapped_csv.LAYOUT_PREFIX}{name}@{version}", {}, partial(read_mapped_csv, mapping=mapping, progress=progress))
