"""Where a seal's pictures go, out of a request: ``places`` and ``edge``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from kms.models.stamps import (
    LAST_PAGE,
    MAX_PLACES,
    EdgePlace,
    PdfStandard,
    Stamping,
    StampPlace,
)
from secops.kernel.errors import Invalid


def stamping_of(fields: Mapping[str, Any]) -> Stamping:
    """Return what ``places`` and ``edge`` of a JSON object say; raise ``Invalid``."""
    places, edge = fields.get("places", []), fields.get("edge")
    if not isinstance(places, list) or len(places) > MAX_PLACES:
        msg = f"places is a list of at most {MAX_PLACES}"
        raise Invalid(msg)
    found = tuple(_place(_object(each, "a place")) for each in places)
    return Stamping(found, None if edge is None else _edge(_object(edge, "edge")))


def standard_of(fields: Mapping[str, Any]) -> PdfStandard:
    """Return how a PDF is signed; raise ``Invalid``."""
    standard = fields.get("pdf") or "pades"
    if standard not in ("pades", "sm2"):
        msg = "pdf is pades or sm2"
        raise Invalid(msg)
    return "pades" if standard == "pades" else "sm2"


def stamping_in_form(fields: Mapping[str, str]) -> Stamping:
    """Return the same out of the form fields ``places`` and ``edge``, each JSON; or none."""
    try:
        found = {
            name: orjson.loads(fields[name]) for name in ("places", "edge") if fields.get(name)
        }
    except orjson.JSONDecodeError as error:
        msg = "places and edge are JSON"
        raise Invalid(msg) from error
    return stamping_of(found)


def _place(fields: Mapping[str, Any]) -> StampPlace:
    return StampPlace(_page(fields.get("page"), "page"), _number(fields, "x"), _number(fields, "y"))


def _edge(fields: Mapping[str, Any]) -> EdgePlace:
    return EdgePlace(
        _number(fields, "y"),
        _page(fields.get("first", 1), "first"),
        _page(fields.get("last", LAST_PAGE), "last"),
    )


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        msg = f"{what} is an object"
        raise Invalid(msg)
    return value


def _page(value: Any, name: str) -> int:
    if type(value) is not int:
        msg = f"{name} is a page's number"
        raise Invalid(msg)
    return value


def _number(fields: Mapping[str, Any], name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{name} is a number of millimetres"
        raise Invalid(msg)
    return float(value)
