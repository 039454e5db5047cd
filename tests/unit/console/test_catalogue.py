"""The English catalogue is complete, compiled, and reaches the pages."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import secops.console
from secops.cli.demo_register import MEETINGS, PLATFORM, PORTAL
from secops.console.texts import translate
from tests.fakes.console_site import ConsoleSite, Reader

HERE = Path(secops.console.__file__).parent
CATALOGUE = HERE / "locale" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
HAN = re.compile("[\u4e00-\u9fff]")


def used() -> set[str]:
    found = extract_from_dir(HERE, METHODS, keywords={"_": None, "gettext": None, "N_": None})
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


def catalogue() -> Catalog:
    with (CATALOGUE / "console.po").open("rb") as file:
        return read_po(file, locale="en")


def test_every_message_has_an_english_sentence_and_none_is_left_over() -> None:
    english = {str(message.id): str(message.string) for message in catalogue() if message.id}
    assert set(english) == used()
    assert [text for text, sentence in english.items() if not sentence.strip()] == []
    assert [sentence for sentence in english.values() if HAN.search(sentence)] == []


def test_the_compiled_catalogue_is_that_of_the_sources() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    assert (CATALOGUE / "console.mo").read_bytes() == compiled.getvalue()


def test_every_word_that_is_declared_in_python_is_marked() -> None:
    unmarked = []
    for file in sorted(HERE.rglob("*.py")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            marked = re.sub(r'(N_|Text)\("[^"]*"', "", line)
            if HAN.search(marked) and '"""' not in marked and not marked.strip().startswith("#"):
                unmarked.append(f"{file.relative_to(HERE)}:{number}")
    assert unmarked == []


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("analyst", "/alerts"),
        ("analyst", "/rules"),
        ("analyst", "/incidents"),
        ("analyst", "/runs"),
        ("analyst", "/ledger"),
        ("auditor", "/ledger"),
        ("auditor", "/assessments"),
        ("system-admin", "/accounts"),
    ],
)
def test_an_english_page_has_no_chinese_word(console: ConsoleSite, role: str, path: str) -> None:
    jar = {**console.reader(role).jar, "lang": "en"}
    text = Reader(console.site, jar=jar).get(path).text
    shown = text
    for name in ("中文", "临江县数据局(演示)", PLATFORM, PORTAL, MEETINGS):
        shown = shown.replace(name, "")
    # an incident's title is somebody's own words, or those of its alert in the house's language
    shown = re.sub(r'(<a href="/incidents/[^"]+">)[^<]*', r"\1", shown)
    assert HAN.findall(shown) == []


def test_chinese_needs_no_catalogue() -> None:
    assert translate("告警", "zh") == "告警"
    assert translate("告警", "en") == "Alerts"
