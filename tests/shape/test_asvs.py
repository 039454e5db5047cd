"""The map of OWASP ASVS 5.0 (chapters 6 to 10, level 2): every row holds what it says."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "docs" / "security" / "asvs.csv"
SOURCE = (
    ROOT.parent / "shared/data/asvs/OWASP_Application_Security_Verification_Standard_5.0.0_en.csv"
)
STATUSES = {"met", "partly", "not met", "not applicable"}
CHAPTERS = ("V6", "V7", "V8", "V9", "V10")


@cache
def rows() -> list[dict[str, str]]:
    with MAP.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def functions_of(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"^def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))


def test_every_named_test_is_there() -> None:
    missing = []
    for row in rows():
        for name in row["tests"].split():
            path, _, function = name.partition("::")
            if not (ROOT / path).is_file() or function not in functions_of(path):
                missing.append((row["requirement"], name))
    print(f"{sum(len(row['tests'].split()) for row in rows())} tests named")
    assert missing == []


def test_every_row_has_a_test_or_a_reason() -> None:
    assert {row["status"] for row in rows()} <= STATUSES
    wrong = [
        row["requirement"]
        for row in rows()
        if (row["status"] == "met" and not row["tests"])
        or (row["status"] != "met" and not row["reason"])
    ]
    assert wrong == []


def test_no_requirement_of_the_five_chapters_is_left_out() -> None:
    if not SOURCE.is_file():
        pytest.skip("the standard's own list is not on this machine")
    with SOURCE.open(encoding="utf-8-sig", newline="") as file:
        wanted = [
            (row["req_id"], row["L"])
            for row in csv.DictReader(file)
            if row["chapter_id"] in CHAPTERS and row["L"] in ("1", "2")
        ]
    assert [(row["requirement"], row["level"]) for row in rows()] == wanted
