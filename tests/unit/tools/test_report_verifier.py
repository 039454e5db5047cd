"""The one-file verifier of reports, in every form: the product's verdicts, and none of its code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.adapters.archives import ArchiveFolder, JinjaArchivePages
from audits.core.report_parts import part_record, parts_of
from audits.errors import ReportChanged, ReportRejected
from audits.models.forms import FORMS
from secops.kernel.errors import Conflict, Invalid
from tests.fakes.report_attacks import EDITS, edit_attachment, edit_zip
from tests.fakes.report_house import AUDITOR, ReportHouse, report_house
from tools import verify_report as tool

TOOL = Path(tool.__file__)
ITEM = "L3-CES1-06"
SIX = tuple(EDITS)


@dataclass
class Exported:
    house: ReportHouse
    folder: Path
    vkeys: list[str]
    keys: list[tool.Key]
    ids: list[str]
    files: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    def both(self, form: str, content: bytes) -> tuple[list[Any], list[Any]]:
        """Return what the product and the tool say was changed, each as it says it."""
        proof = self.files[form][1]
        with pytest.raises(ReportChanged) as product:
            self.house.files.verify_report(content, proof, self.vkeys)
        with pytest.raises(tool.Bad) as alone:
            tool.verify_report(content, proof, self.keys)
        ours = [
            {"how": how, "part": part, "items": list(items)}
            for how, part, items in product.value.changes
        ]
        return ours, alone.value.changes


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("exported")
    with report_house(tmp_path_factory.mktemp("house")) as house:
        made = house.services.assessments.assess(AUDITOR, "gbt22239", 3)
        archives = house.services.archives
        archives.export_archive(AUDITOR, made.id, archives.tools.sink_at(folder / "archive"))
        document = house.services.assessments.show_assessment(AUDITOR, made.id)
        vkeys = house.vkeys
        (folder / "kept").mkdir()
        (folder / "kept" / "vkeys").write_text("\n".join(vkeys) + "\n")
        ids = [item["id"] for item in document["items"]]
        exported = Exported(house, folder, vkeys, tool.read_keys("\n".join(vkeys)), ids)
        for path in sorted((folder / "archive" / "reports").iterdir()):
            if path.suffix != ".proof":
                proof = path.with_name(f"{path.name}.proof").read_bytes()
                exported.files[json.loads(proof)["claims"]["form"]] = (path.read_bytes(), proof)
        yield exported


def named(changes: list[Any]) -> set[str]:
    return {item for change in changes for item in change["items"]}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_verifies_in_the_product_and_alone(exported: Exported, form: str) -> None:
    content, proof = exported.files[form]
    product = exported.house.files.verify_report(content, proof, exported.vkeys)
    alone = tool.verify_report(content, proof, exported.keys)
    assert (alone["assessment"], alone["sm3"]) == (product.assessment_id, product.sm3)
    assert alone["entry"] == product.entry


@pytest.mark.parametrize("form", FORMS)
def test_both_take_every_form_apart_alike(exported: Exported, form: str) -> None:
    content, proof = exported.files[form]
    ours = [part_record(each) for each in parts_of(form, content, exported.ids)]
    theirs = [[*one[:3], list(one[3])] for one in tool.READERS[form](content, exported.ids)]
    assert ours == theirs == json.loads(proof)["parts"]


@pytest.mark.parametrize("form", [form for form in SIX if form != "pdf"])
def test_an_edited_item_is_named_alone_in_every_form(exported: Exported, form: str) -> None:
    ours, theirs = exported.both(form, EDITS[form](exported.files[form][0], ITEM))
    assert ours == theirs
    assert named(theirs) == {ITEM}


def test_an_edited_page_of_the_pdf_is_named_with_its_item(exported: Exported) -> None:
    ours, theirs = exported.both("pdf", EDITS["pdf"](exported.files["pdf"][0], ITEM))
    assert ours == theirs
    changed = [change for change in theirs if change["how"] == "changed"]
    assert len(changed) == 1
    assert changed[0]["part"].startswith("page ")
    assert len(changed[0]["items"]) == 1


def test_the_document_attached_to_the_pdf_is_named_to_the_item(exported: Exported) -> None:
    ours, theirs = exported.both("pdf", edit_attachment(exported.files["pdf"][0], ITEM))
    assert ours == theirs
    assert named(theirs) == {ITEM}
    assert theirs[0]["part"] == f"attachment items {ITEM}"


@pytest.mark.parametrize("form", SIX)
def test_a_changed_byte_anywhere_is_refused_and_named(exported: Exported, form: str) -> None:
    """100 % refused, each with at least one change that has a name; both say the same."""
    content = exported.files[form][0]
    chance = random.Random(form)  # noqa: S311 - places to look at, no secret
    for _ in range(2):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        ours, theirs = exported.both(form, bytes(changed))
        assert len(theirs) > 0
        assert [change["how"] for change in ours] == [change["how"] for change in theirs]


def nearest(changes: list[Any]) -> str:
    """Return how near a verdict leads: to an item, a page, an object, another part, nothing."""
    if named(changes):
        return "item"
    for near in ("page", "attachment", "object", "member", "bytes"):
        if any(change["part"].startswith(f"{near} ") for change in changes):
            return near
    return "other part" if changes else "nothing"


@pytest.mark.deep
@pytest.mark.parametrize("form", SIX)
def test_a_thousand_changed_bytes_are_all_refused_and_named(exported: Exported, form: str) -> None:
    content, proof = exported.files[form]
    chance = random.Random(form)  # noqa: S311 - as above
    found: Counter[str] = Counter()
    for _ in range(1_000):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        with pytest.raises(tool.Bad) as refused:
            tool.verify_report(bytes(changed), proof, exported.keys)
        found[nearest(refused.value.changes)] += 1
    print(f"{form}: {found.total()} flipped, all refused; named to {dict(found)}")
    assert (found.total(), found["nothing"]) == (1_000, 0)


@pytest.mark.parametrize("form", SIX)
def test_truncated_and_foreign_files_are_refused(exported: Exported, form: str) -> None:
    content = exported.files[form][0]
    for other in (content[: len(content) // 2], b"PK\x03\x04", b"%PDF-1.7"):
        ours, theirs = exported.both(form, other)
        assert len(ours) == len(theirs) > 0


def test_a_row_saved_by_an_office_program_is_named_and_the_rest_is_not(exported: Exported) -> None:
    """The whole file is packed anew, with other attributes on every row: one text differs."""

    def save(name: str, member: bytes) -> bytes:
        if name == "word/document.xml":
            return member.replace(b"<w:tr>", b'<w:tr w:rsidR="00A1">')
        return member + b"\n"

    ours, theirs = exported.both(
        "docx", edit_zip(EDITS["docx"](exported.files["docx"][0], ITEM), save)
    )
    assert ours == theirs
    assert named(theirs) == {ITEM}
    assert [change["part"] for change in theirs if change["how"] == "marked"] == [
        "the whole file, as if saved by another program"
    ]


def test_a_bomb_in_an_office_file_is_refused_within_limits(exported: Exported) -> None:
    zeros = bytes((64 << 20) + 1)
    bomb = edit_zip(
        exported.files["xlsx"][0], lambda name, one: zeros if name == "xl/styles.xml" else one
    )
    ours, theirs = exported.both("xlsx", bomb)
    assert [change["how"] for change in ours] == [change["how"] for change in theirs]
    assert ours[0]["how"] == "unreadable"


def test_a_long_string_that_many_cells_show_is_refused_within_limits(exported: Exported) -> None:
    """Seventy thousand cells of a MiB each: 70 GB of text out of two members that are small."""

    def swell(name: str, member: bytes) -> bytes:
        if name == "xl/sharedStrings.xml":
            return b"<sst><si><t>" + b"A" * (1 << 20) + b"</t></si></sst>"
        return b'<c t="s"><v>0</v></c>' * 70_000 if "sheet1.xml" in name else member

    ours, theirs = exported.both("xlsx", edit_zip(exported.files["xlsx"][0], swell))
    assert [change["how"] for change in ours] == [change["how"] for change in theirs]
    assert ours[0]["how"] == "unreadable"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_office_files_packed_in_another_way_are_refused(exported: Exported, method: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("word/document.xml", b"<x/>")
    ours, theirs = exported.both("docx", made.getvalue())
    assert [change["how"] for change in ours] == ["unreadable"] == [one["how"] for one in theirs]


HIDDEN = {
    "a hidden row": ("xlsx", rb"(<row r=\"9\")", rb"\1 hidden=\"1\"", "xl/worksheets/"),
    "a hidden column": ("xlsx", rb"<cols><col ", rb"<cols><col hidden=\"1\" ", "xl/worksheets/"),
    "a hidden sheet": ("xlsx", rb"<sheet ", rb"<sheet state=\"hidden\" ", "xl/workbook.xml"),
    "a defined name": ("xlsx", rb"</sheets>", rb"</sheets><definedNames/>", "xl/workbook.xml"),
    "a chart": ("xlsx", rb"<c:v>\d+</c:v>", rb"<c:v>999</c:v>", "xl/charts/"),
    "hidden words": ("docx", rb"<w:rPr>", rb"<w:rPr><w:vanish/>", "word/document.xml"),
    "a footer": ("docx", rb"</w:p>", rb"<w:r><w:t>x</w:t></w:r></w:p>", "word/footer"),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_what_office_files_hide_or_show_aside_is_named(exported: Exported, what: str) -> None:
    form, old, new, member = HIDDEN[what]
    touched: list[str] = []

    def change(name: str, content: bytes) -> bytes:
        if not name.startswith(member) or touched:
            return content
        made = re.sub(old, new, content, count=1)
        touched.extend([name] if made != content else [])
        return made

    ours, theirs = exported.both(form, edit_zip(exported.files[form][0], change))
    assert ours == theirs
    assert f"member {touched[0]}" in [one["part"] for one in theirs]


def test_an_update_appended_to_a_pdf_is_named(exported: Exported) -> None:
    """As a program saves incrementally: a new page object behind the end of the file."""
    update = b"\n99999 0 obj\n<</Type/Page/Contents 1 0 R>>\nendobj\ntrailer<</Prev 9>>\n%%EOF\n"
    ours, theirs = exported.both("pdf", exported.files["pdf"][0] + update)
    assert ours == theirs
    assert "between the objects" in [one["part"] for one in theirs]


def test_a_report_says_with_whose_template_it_was_written(exported: Exported) -> None:
    content, proof = exported.files["html"]
    assert tool.verify_report(content, proof, exported.keys)["template"] == ""


def test_what_is_signed_by_another_key_is_refused(exported: Exported) -> None:
    content, proof = exported.files["json"]
    parsed = json.loads(proof)
    for number, why in enumerate(("sm2", "ecdsa")):
        parsed["signatures"][number]["signature"] = "MAYCAQECAQE="
        with pytest.raises(tool.Bad, match=f"{why}.* signature does not verify"):
            tool.verify_report(content, json.dumps(parsed).encode(), exported.keys)
        parsed = json.loads(proof)
    parsed["signatures"][0]["public_key"] = parsed["signatures"][1]["public_key"]
    with pytest.raises(tool.Bad, match="the ledger does not name"):
        tool.verify_report(content, json.dumps(parsed).encode(), exported.keys)


@pytest.mark.parametrize(
    "field_name", ["record", "ledger_proof", "claims", "parts", "document", "findings"]
)
def test_the_proof_of_another_report_is_refused(exported: Exported, field_name: str) -> None:
    """Each field in turn is taken from the proof of another form of the same assessment."""
    content, proof = exported.files["json"]
    theirs = json.loads(exported.files["html"][1])
    forged = {**json.loads(proof), field_name: theirs[field_name]}
    if forged == json.loads(proof):  # findings and document are the same in all forms
        forged[field_name] = forged[field_name][1:]
    with pytest.raises((tool.Bad, ValueError)):
        tool.verify_report(content, json.dumps(forged).encode(), exported.keys)
    with pytest.raises(tool.Bad, match="was changed"):
        tool.verify_report(content, exported.files["html"][1], exported.keys)


def test_a_finding_verifies_alone_and_not_when_changed(exported: Exported) -> None:
    files = exported.house.files
    small = files.prove_finding(*exported.files["pdf"], ITEM, exported.vkeys)
    assert tool.verify_finding(small, exported.keys)["item"]["id"] == ITEM
    for name, value in {"status": "partial", "reason": {}, "evidence": []}.items():
        finding = json.loads(small)
        finding["item"][name] = value
        with pytest.raises(tool.Bad) as refused:
            tool.verify_finding(json.dumps(finding).encode(), exported.keys)
        assert named(refused.value.changes) == {ITEM}


# Archives


def run(*arguments: str | Path, here: Path) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-I", *map(str, arguments)],
        cwd=here,
        env={"PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_the_archive_s_own_verifier_verifies_it_without_the_product(exported: Exported) -> None:
    folder = exported.folder / "archive"
    same = (folder / "verify_report.py").read_bytes() == TOOL.read_bytes()
    assert same, "cp tools/verify_report.py audits/adapters/archives/verifier.txt"
    code, verdict = run("verify_report.py", ".", "--vkeys", "../kept/vkeys", here=folder)
    assert (code, verdict["valid"], len(verdict["reports"])) == (0, True, len(FORMS))
    changed = (folder / verdict["reports"][0]).read_bytes() + b" "
    other = exported.folder / "alone.json"
    other.write_bytes(changed)
    proof = f"archive/{verdict['reports'][0]}.proof"
    arguments = ("alone.json", "--proof", proof, "--vkeys", "kept/vkeys")
    code, verdict = run(TOOL, *arguments, here=exported.folder)
    assert (code, verdict["valid"]) == (1, False)
    assert run(TOOL, "nowhere", here=exported.folder)[0] == 2


def in_process(path: Path, keys: list[tool.Key]) -> tuple[str, list[Any]]:
    """Return why the tool refuses what lies at ``path``, and the changes; "" if it does not."""
    try:
        tool.verify(path, None, keys)
    except tool.Bad as error:
        return str(error), error.changes
    return "", []


@pytest.fixture
def copy(exported: Exported, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported.folder / "archive", tmp_path / "copy"))


def test_whatever_is_done_to_a_file_of_an_archive_is_named(exported: Exported, copy: Path) -> None:
    assert in_process(copy, exported.keys) == ("", [])
    (report,) = (copy / "reports").glob("*-*_*.html")
    genuine = report.read_bytes()
    report.write_bytes(EDITS["html"](genuine, ITEM))
    assert named(in_process(copy, exported.keys)[1]) == {ITEM}
    report.write_bytes(genuine)
    evidence = min((copy / "evidence").iterdir())
    kept = evidence.read_bytes()
    evidence.write_bytes(kept + b" ")
    assert in_process(copy, exported.keys)[1][0]["part"] == f"evidence/{evidence.name}"
    evidence.unlink()
    assert in_process(copy, exported.keys)[1][0]["how"] == "missing"
    evidence.write_bytes(kept)
    (copy / "notes.txt").write_bytes(b"added")
    assert in_process(copy, exported.keys)[1] == [
        {"how": "added", "part": "notes.txt", "items": []}
    ]
    (copy / "notes.txt").unlink()
    (copy / "link").symlink_to("/etc/passwd")
    assert "links" in in_process(copy, exported.keys)[0]
    (copy / "link").unlink()
    page = copy / "items" / f"{ITEM}.html"
    page.write_bytes(page.read_bytes().replace(ITEM.encode(), b"L3-CES1-07"))
    assert in_process(copy, exported.keys)[1][0]["part"] == f"items/{ITEM}.html"


def test_a_report_in_the_place_of_the_manifest_is_refused(exported: Exported, copy: Path) -> None:
    content, proof = exported.files["json"]
    (copy / "manifest.json").write_bytes(content)
    (copy / "manifest.json.proof").write_bytes(proof)
    assert "no manifest" in in_process(copy, exported.keys)[0]


def test_what_is_no_file_in_an_archive_is_refused(exported: Exported, copy: Path) -> None:
    (copy / "vkeys").unlink()
    os.mkfifo(copy / "vkeys")  # reading it would never end
    assert "no file" in in_process(copy, exported.keys)[0]


def test_keys_that_lie_beside_an_archive_are_said_to(
    exported: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    """An archive made anew by strangers, with their keys in it, must not look as good."""
    finding = exported.folder / "archive" / "finding.json"
    small = exported.house.files.prove_finding(*exported.files["json"], ITEM, exported.vkeys)
    finding.write_bytes(small)
    assert tool.main([str(finding)]) == 0
    finding.unlink()
    said = capsys.readouterr()
    assert "kept elsewhere" in json.loads(said.out)["warning"]
    assert "kept elsewhere" in said.err


def test_an_edited_manifest_is_refused(exported: Exported, copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "index.html").write_bytes(b"<p>all is well</p>")
    for entry in manifest["files"]:
        if entry["path"] == "index.html":
            content = (copy / "index.html").read_bytes()
            entry |= {"size": len(content), "sha256": tool.sha256(content).hex()}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "archive was changed" in in_process(copy, exported.keys)[0]
    (copy / "manifest.json").unlink()
    assert "no manifest" in in_process(copy, exported.keys)[0]


def zip_of(folder: Path, target: Path, more: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(target, "w") as archive, contextlib.suppress(UserWarning):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "a/../../evil",
        "C:\\evil",
        "a//b",
        "README.MD",
        "a/./b",
        "-rf",
        "a" * 300,
    ],
)
def test_names_that_lead_elsewhere_are_refused(
    exported: Exported, tmp_path: Path, name: str
) -> None:
    packed = zip_of(exported.folder / "archive", tmp_path / "evil.zip", {name: b"x"})
    why, changes = in_process(packed, exported.keys)
    assert "lead elsewhere" in why
    assert len(changes) == 1


def test_a_link_in_a_zip_file_and_a_broken_one_are_refused(
    exported: Exported, tmp_path: Path
) -> None:
    packed = zip_of(exported.folder / "archive", tmp_path / "a.zip")
    assert in_process(packed, exported.keys) == ("", [])
    with zipfile.ZipFile(packed, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "links" in in_process(packed, exported.keys)[0]
    broken = tmp_path / "b.zip"
    broken.write_bytes(packed.read_bytes()[:5_000])
    assert tool.main([str(broken), "--vkeys", str(exported.folder / "kept" / "vkeys")]) == 1


@pytest.mark.parametrize("place", ["before", "behind", "comment", "folder"])
def test_a_zip_file_that_holds_more_than_it_lists_is_refused(
    exported: Exported, tmp_path: Path, place: str
) -> None:
    """Another program, reading from the front, would unpack what nobody signed."""
    packed = zip_of(exported.folder / "archive", tmp_path / "a.zip")
    genuine, other = packed.read_bytes(), io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("index.html", b"<p>all is well</p>")
    if place == "before":
        packed.write_bytes(other.getvalue() + genuine)
    elif place == "behind":
        packed.write_bytes(genuine + bytes(8))
    else:
        with zipfile.ZipFile(packed, "a") as archive:
            if place == "comment":
                archive.comment = other.getvalue()[:-22]
            else:
                archive.writestr("../evil/", b"")
    why, changes = in_process(packed, exported.keys)
    assert "none of" in why
    assert len(changes) == 1


def test_pages_of_an_archive_escape_what_persons_wrote(exported: Exported) -> None:
    document = json.loads(exported.files["json"][0])
    for item in document["items"]:
        item["reason"] = {"zh": "<script>alert(1)</script>{{ 7919*6841 }}", "en": "x"}
    document["items"][0]["id"] = "../../../evil"
    document["system"]["name"] = '"><img src=x onerror=alert(1)>'
    pages = JinjaArchivePages().pages(document, ["reports/a"], {}, "zh")
    assert "items/0.html" in pages
    for content in pages.values():
        assert b"<script" not in content
        assert b"<img" not in content
        assert b"built-in method" not in content
        assert b"54173879" not in content
    assert b"{{ 7919*6841 }}" in pages["items/0.html"]


def test_an_archive_goes_into_an_empty_folder_and_stays_inside(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"")
    with pytest.raises(Conflict):
        ArchiveFolder(tmp_path / "full")
    for path in ("../x", "/x", ""):
        with pytest.raises(Invalid):
            ArchiveFolder(tmp_path / "new").put(path, b"")


# Parsers and signatures against anything


@settings(max_examples=40)
@given(st.sampled_from(SIX), st.binary(max_size=400))
def test_any_bytes_are_taken_apart_or_refused_alike(form: str, content: bytes) -> None:
    start = {"pdf": b"%PDF-1.7\n1 0 obj\n<</Type/Page>>\nendobj\n"}.get(form, b"")
    try:
        ours: Any = [part_record(each) for each in parts_of(form, start + content, ["L3-CES1-01"])]
    except ReportRejected:
        ours = None
    try:
        found = tool.READERS[form](start + content, ["L3-CES1-01"])
    except (ValueError, zipfile.BadZipFile, OSError, EOFError):
        found = None
    assert ours == (None if found is None else [[*one[:3], list(one[3])] for one in found])


def test_p256_gives_the_answers_of_the_engine() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"message", ec.ECDSA(hashes.SHA256()))
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert tool.p256_verify(public, b"message", signature)
    assert not tool.p256_verify(public, b"massage", signature)
    assert not tool.p256_verify(public[:-1], b"message", signature)
    assert not tool.p256_verify(public, b"message", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not tool.p256_verify(public, b"message", bytes.fromhex("3006020100020100"))
    assert not tool.p256_verify(public[:-1] + bytes([public[-1] ^ 1]), b"message", signature)
