"""Documents of made-up assessments over the real catalogue, honest and hostile."""

from __future__ import annotations

import copy
import functools
from typing import Any

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.catalogue import read_catalogue
from audits.core.sample import sample_document
from audits.models.catalogue import Catalogue

HOSTILE = (
    '=HYPERLINK("http://x")<script>alert(1)</script><b>&"\'`]]>{{ 7*7 }}{% raw %}#panic()'
    "\u202etxt.exe\x00\x1b\x07\ud7ff@SUM(1)"
)
"""A text that is a formula, markup, a template, a direction mark and control characters."""


@functools.cache
def catalogue() -> Catalogue:
    """Return the catalogue of GB/T 22239."""
    return PackagedCatalogues({"gbt22239": read_catalogue}).read("gbt22239")


@functools.cache
def _sample() -> dict[str, Any]:
    document = sample_document(catalogue())
    document["trend"] = [
        {
            "id": f"asm_{number}",
            "made_at": f"2026-0{number}-01T00:00:00Z",
            "rate": f"{10 * number}/169",
            "judged": 20 * number,
            "applicable": 169,
        }
        for number in range(1, 5)
    ]
    return document


def report_document() -> dict[str, Any]:
    """Return a document of 211 items with results of every kind, to be changed at will."""
    return copy.deepcopy(_sample())


def hostile_document(text: str = HOSTILE) -> dict[str, Any]:
    """Return one whose every text that somebody enters begins with ``text``."""
    document = report_document()
    document["made_by"] = text
    document["system"] |= dict.fromkeys(
        ("name", "filing_number", "owner", "domain", "data_grade"), text
    )
    for name in ("tasks", "waivers", "risks", "records"):
        document[name] = [
            {
                key: text if isinstance(value, str) and key != "item" else value
                for key, value in row.items()
            }
            for row in document[name]
        ]
    document["assets"][0] |= dict.fromkeys(
        ("name", "address", "department", "place", "data_grade"), text
    )
    for item in document["items"]:
        item["reason"] = {"zh": text, "en": text}
        item["person"] = text
        for one in item["objects"]:
            one["name"] = text
            one["reason"] = {"zh": text, "en": text}
        for seen in (
            *item["observations"],
            *(s for one in item["objects"] for s in one["observations"]),
        ):
            seen |= {"fact": text, "expected": text, "seen": text}
        for each in (*item["evidence"], *(e for one in item["objects"] for e in one["evidence"])):
            each["kind"] = text
            each["object"] = text
            each["origin"] |= {"source": text, "query": text, "link": text}
    for risk in document["high_risks"]:
        risk |= {"confirmed_by": text, "reason": {"zh": text, "en": text}}
    for major in document["majors"]["items"]:
        major |= {"confirmed_by": text, "reason": {"zh": text, "en": text}}
    return document


def short(document: dict[str, Any]) -> dict[str, Any]:
    """Return ``document`` with the items of its second class alone: eight, at level 3."""
    code = document["classes"][1]["code"]
    items = [item for item in document["items"] if item["class_code"] == code]
    return document | {"items": items, "classes": document["classes"][:3]}


def small_document() -> dict[str, Any]:
    """Return a document of which nothing is known: an item of two classes each, unassessed."""
    document = report_document()
    document |= {
        "items": [],
        "classes": [],
        "assets": [],
        "high_risks": [],
        "majors": {"found": 0, "rectified": 0, "pending": 0, "items": []},
        "tasks": [],
        "waivers": [],
        "risks": [],
        "records": [],
        "calculations": [],
        "delta": None,
        "trend": [],
        "kinds": {"auto": 0, "semi": 0, "manual": 0},
        "judged_by": {"machine": 0, "person": 0, "nobody": 0},
        "counts": dict.fromkeys(document["counts"], 0),
        "coverage": {"judged": 0, "applicable": 0},
        "rate": {"strict": "0/0", "weighted": "0/0", "label": "推算"},
    }
    return document
