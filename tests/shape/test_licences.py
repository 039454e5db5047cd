"""What is installed may be passed on: no package under the GPL or AGPL alone."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNDECLARED = {"cedarpy", "pysqlite3"}  # docs/licences.md says what their licence files say
LOCKED = re.compile(r"^([a-z0-9_.-]+)==", re.MULTILINE)
STRONG = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|(Affero )?General Public License)")


def locked() -> list[str]:
    return LOCKED.findall((ROOT / "requirements.lock").read_text())


def declared(package: str) -> str:
    """Everything the package's metadata says of its licence."""
    metadata = importlib.metadata.metadata(package)
    classifiers = [
        line for line in metadata.get_all("Classifier") or [] if line.startswith("License")
    ]
    text = metadata.get("License-Expression") or ""
    first = (metadata.get("License") or "").splitlines()[:1]
    return "; ".join(part for part in (text, *first, *classifiers) if part)


def is_strong(text: str) -> bool:
    """GPL or AGPL, and nothing weaker to choose."""
    return bool(STRONG.search(text.replace("Lesser General Public License", "LGPL")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-2.1-only", False),
        ("GNU Lesser General Public License v3 or later (LGPLv3+)", False),
        ("Apache-2.0", False),
    ],
)
def test_the_check_knows_strong_copyleft(text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_strong(text) is expected


def test_no_package_is_under_the_gpl_alone() -> None:
    assert len(locked()) > 50
    assert {name: declared(name) for name in locked() if is_strong(declared(name))} == {}


def test_every_package_declares_its_licence_or_was_looked_up() -> None:
    assert {name for name in locked() if not declared(name)} == UNDECLARED


def test_the_page_names_exactly_what_is_locked() -> None:
    page = (ROOT / "docs" / "licences.md").read_text()
    named = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert sorted(named) == sorted(locked())
