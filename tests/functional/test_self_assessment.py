"""The running product assesses itself, and what it hands out verifies without it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.demo_site import Answer, DemoSite
from tools import verify_report as tool

ASSESSMENTS = "/api/v1/audits/assessments"
FORMS = ("html", "pdf", "docx", "xlsx", "json", "oscal.json", "oscal-poam.json")
TOOL = Path(tool.__file__)


@dataclass(frozen=True)
class Handed:
    """An archive as it was handed out, with the assessment it is of."""

    site: DemoSite
    document: dict[str, Any]
    archive: Path
    vkeys: Path

    def report(self, suffix: str) -> bytes:
        with zipfile.ZipFile(self.archive) as archive:
            (name,) = [
                name for name in archive.namelist() if re.search(rf"asm_\w+\.{suffix}$", name)
            ]
            return archive.read(name)


@pytest.fixture(scope="module")
def handed(site: DemoSite, tmp_path_factory: pytest.TempPathFactory) -> Handed:
    folder = tmp_path_factory.mktemp("handed")
    token = site.token("auditor")
    made = site.call("POST", ASSESSMENTS, body=b'{"level": 3}', token=token)
    assert made.status == 201
    document = made.json()
    packed = site.call("POST", f"{ASSESSMENTS}/{document['id']}/archive", body=b"{}", token=token)
    assert packed.status == 200
    archive = folder / "archive.zip"
    archive.write_bytes(packed.body)
    vkeys = folder / "kept-vkeys"
    vkeys.write_text("\n".join(site.house.audits.ledger.files.vkeys()) + "\n")
    return Handed(site, document, archive, vkeys)


def ask(handed: Handed, path: str, body: Any) -> Answer:
    """Return what the auditor is answered to a POST."""
    token = handed.site.token("auditor")
    return handed.site.call("POST", path, token=token, body=json.dumps(body).encode())


def verify(*arguments: str | Path, here: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), *map(str, arguments)],
        cwd=here,
        env={"PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout)


def test_the_archive_of_the_running_product_verifies_offline_and_alone(handed: Handed) -> None:
    code, verdict = verify("archive.zip", "--vkeys", handed.vkeys, here=handed.archive.parent)
    assert (code, verdict["valid"], verdict["assessment"]) == (0, True, handed.document["id"])
    assert sorted(name.partition(".")[2] for name in verdict["reports"]) == sorted(FORMS)
    assert verdict["missing_evidence"] == []


def test_automatic_half_and_manual_items_are_all_there(handed: Handed) -> None:
    document = handed.document
    assert document["kinds"] == {"auto": 68, "semi": 71, "manual": 72}
    assert len(document["items"]) == 211
    assert document["standard"] == "gbt22239"
    machine = [item for item in document["items"] if item["judge"] == "machine"]
    assert {item["assess"] for item in machine} <= {"auto", "semi"}
    assert len(machine) > 20
    assert document["coverage"]["applicable"] == 211
    judged = 211 - document["counts"]["unassessed"]
    assert document["coverage"]["judged"] == judged


KINDS = "可自动判定 68 · 半自动 71 · 仅人工 72"


def test_the_counts_stand_on_the_first_page_of_html_and_pdf(handed: Handed) -> None:
    page = handed.report("html").decode()
    assert KINDS in re.sub(r"<[^>]+>", "", page)[:6_000]
    objects, _ = tool._objects(handed.report("pdf"))
    pages = [one[0] for one in objects.values() if re.search(rb"/Type ?/Page\b(?!s)", one[0])]
    fonts = {
        n: tool._glyphs(objects, one[0]) for n, one in objects.items() if b"/ToUnicode" in one[0]
    }
    drawn = b"".join(one[1] for one in tool._drawn(pages[0], objects))
    first = tool._text(drawn, tool._page_fonts(pages[0], objects, fonts))
    assert KINDS.replace(" ", "") in first.replace(" ", "")


def test_the_counts_stand_in_the_office_files_before_any_item(handed: Handed) -> None:
    with zipfile.ZipFile(io.BytesIO(handed.report("docx"))) as document:
        text = re.sub(r"<[^>]+>", "", document.read("word/document.xml").decode())
    assert text.index(KINDS) < text.index("L3-")
    with zipfile.ZipFile(io.BytesIO(handed.report("xlsx"))) as book:
        strings = re.sub(r"<[^>]+>", "", book.read("xl/sharedStrings.xml").decode())
    assert strings.index(KINDS) < strings.index("L3-")


def test_a_finding_and_a_report_are_proved_over_http_too(handed: Handed) -> None:
    token = handed.site.token("auditor")
    where = f"{ASSESSMENTS}/{handed.document['id']}/report"
    made = ask(handed, where, {"format": "html"}).json()
    given = {name: made[name] for name in ("content", "proof")}
    base = "/api/v1/audits/reports"
    verified = ask(handed, f"{base}/verification", given)
    assert verified.json()["assessment"] == handed.document["id"]
    finding = ask(handed, f"{base}/finding", {**given, "item": "L3-CES1-04"})
    keys = tool.read_keys("\n".join(handed.site.house.audits.ledger.files.vkeys()))
    assert tool.verify_finding(finding.body, keys)["item"]["id"] == "L3-CES1-04"
    given["content"] = given["content"][:400] + "AAAA" + given["content"][404:]
    refused = ask(handed, f"{base}/verification", given)
    assert (refused.status, refused.json()["code"]) == (422, "audits.report_changed")
    listed = handed.site.call("GET", f"{base}?limit=3", token=token).json()
    assert [one["form"] for one in listed["items"]] == ["html", "archive", "oscal-poam"]
    assert listed["next"] is not None


def test_what_the_auditor_opened_is_in_the_ledger(handed: Handed) -> None:
    audits, auditor = handed.site.house.audits, handed.site.token("auditor")
    handed.site.call("GET", f"{ASSESSMENTS}/{handed.document['id']}", token=auditor)
    audits.ledger.sequencer.tick()
    records = [stored.entry.record for stored in audits.ledger.store.entries(0, 100_000)]
    views = [one for one in map(json.loads, records) if one["action"] == "audits.view"]
    targets = {view["target"] for view in views}
    folded = {each[0] for view in views for each in view["details"].get("each", ())}
    assert f"assessment:{handed.document['id']}" in targets | folded


def test_a_partner_s_message_needs_an_approved_partner(handed: Handed) -> None:
    where = f"{ASSESSMENTS}/{handed.document['id']}/report"
    refused = ask(handed, where, {"partners": ["nobody"]})
    assert refused.status == 404
