"""The proof of a report: from key to file, each forgery by its reason, each change by its item."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from audits.core.report_parts import compare, parts_of
from audits.core.report_parts.parts import MOST_PARTS
from audits.core.report_parts.structured import json_parts
from audits.core.reports import (
    SealedWith,
    build_proof,
    claims_of,
    item_ids,
    packed,
    signed_message,
)
from audits.errors import ProtectionUnavailable, ReportChanged, ReportRejected
from audits.models.forms import FORMS
from audits.service.reports.reports import Wishes
from secops.crypto.hashes import sm3
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.pages import PageRequest
from tests.fakes.evidence import FakeReportSigner
from tests.fakes.report_house import AUDITOR, FakeProtection, ReportHouse, report_house

ITEM = "L3-CES1-06"


@dataclass
class Exported:
    house: ReportHouse
    vkeys: list[str]
    document: Any
    files: dict[str, tuple[bytes, bytes]]

    def refused(self, content: bytes, proof: bytes, vkeys: list[str] | None = None) -> str:
        """Return why verification refuses; "" where it does not."""
        try:
            self.house.files.verify_report(content, proof, self.vkeys if vkeys is None else vkeys)
        except ReportRejected as error:
            return error.detail
        return ""

    def named(self, form: str, content: bytes) -> set[str]:
        """Return the items that verification names as changed."""
        with pytest.raises(ReportChanged) as caught:
            self.house.files.verify_report(content, self.files[form][1], self.vkeys)
        return {item for _, _, items in caught.value.changes for item in items}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    with report_house(tmp_path_factory.mktemp("reports")) as house:
        made = house.services.assessments.assess(AUDITOR, "gbt22239", 3)
        files = {}
        for form in ("json", "html"):
            report = house.services.reports.export_report(AUDITOR, made.id, form)
            files[form] = (report.content, report.proof)
        document = house.services.assessments.show_assessment(AUDITOR, made.id)
        yield Exported(house, house.vkeys, document, files)


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_report_proves_itself_from_key_to_page(exported: Exported, form: str) -> None:
    verified = exported.house.files.verify_report(*exported.files[form], exported.vkeys)
    assert verified.assessment_id == exported.document["id"]
    assert len(verified.signed_by) == 2
    assert verified.entry is not None


def test_the_ledger_s_record_holds_the_roots_of_findings_and_evidence(exported: Exported) -> None:
    proof = orjson.loads(exported.files["html"][1])
    details = orjson.loads(base64.b64decode(proof["record"]))["details"]
    assert details["findings"] == proof["claims"]["findings"]
    assert details["evidence"] == proof["claims"]["evidence"]
    assert details["findings"]["count"] == 211
    assert details["evidence"]["count"] == len(exported.document["facts"])


def test_every_changed_byte_of_report_or_proof_is_found(exported: Exported) -> None:
    content, proof = exported.files["html"]
    accepted = 0
    for place in range(0, len(content), max(1, len(content) // 12)):
        changed = bytearray(content)
        changed[place] ^= 1
        accepted += not exported.refused(bytes(changed), proof)
    for place in range(0, len(proof), max(1, len(proof) // 60)):
        changed = bytearray(proof)
        changed[place] ^= 1
        accepted += not exported.refused(content, bytes(changed))
    assert accepted == 0
    assert exported.refused(content, proof) == ""  # the control


def test_a_changed_byte_in_each_item_of_the_json_names_that_item(exported: Exported) -> None:
    content, _ = exported.files["json"]
    for number, item in enumerate(exported.document["items"]):
        if number % 12 == 0:
            where = content.index(
                b'"requirement"', content.index(b'"id": "%b"' % item["id"].encode())
            )
            changed = bytearray(content)
            changed[where + 30] ^= 1
            assert exported.named("json", bytes(changed)) == {item["id"]}


def edited_json(exported: Exported, item: str, **changes: Any) -> bytes:
    document = json.loads(exported.files["json"][0])
    for one in document["items"]:
        if one["id"] == item:
            one.update(changes)
    return json.dumps(document, ensure_ascii=False).encode()


def test_an_edited_verdict_is_named_by_its_item_alone(exported: Exported) -> None:
    assert exported.named("json", edited_json(exported, ITEM, status="partial")) == {ITEM}


def test_swapped_evidence_is_named_by_its_item(exported: Exported) -> None:
    evidence = [{"kind": "iam.users", "object": "", "sha256": "0" * 64}]
    assert exported.named("json", edited_json(exported, ITEM, evidence=evidence)) == {ITEM}


def test_a_changed_score_is_named_as_the_document_s_field(exported: Exported) -> None:
    document = json.loads(exported.files["json"][0])
    document["score"], document["rate"]["strict"] = "99.00", "211/211"
    refused = exported.refused(json.dumps(document).encode(), exported.files["json"][1])
    assert "changed: rate strict; changed: score" in refused


def test_an_item_taken_out_or_put_in_is_named(exported: Exported) -> None:
    document = json.loads(exported.files["json"][0])
    gone = document["items"].pop(7)["id"]
    assert exported.named("json", json.dumps(document).encode()) == {gone}
    document["items"].append({"id": "L3-NEW1-01"})
    refused = exported.refused(json.dumps(document).encode(), exported.files["json"][1])
    assert f"missing: items {gone}; added: items L3-NEW1-01" in refused


def test_two_items_that_changed_places_are_named(exported: Exported) -> None:
    document = json.loads(exported.files["json"][0])
    items = document["items"]
    items[3], items[4] = items[4], items[3]
    assert "moved: items" in exported.refused(
        json.dumps(document).encode(), exported.files["json"][1]
    )


def test_another_layout_of_the_same_json_is_said_to_be_only_that(exported: Exported) -> None:
    content = json.dumps(json.loads(exported.files["json"][0]), ensure_ascii=False).encode()
    assert "as if saved by another" in exported.refused(content, exported.files["json"][1])


def test_an_edited_row_of_the_page_is_named_by_its_item(exported: Exported) -> None:
    page, _ = exported.files["html"]
    at = page.index(f'data-item="{ITEM}"'.encode())
    where = page.index(b"<td>", at) + 4
    changed = page[:where] + "已整改 ".encode() + page[where:]
    assert exported.named("html", changed) == {ITEM}


def test_a_row_that_is_hidden_by_an_attribute_is_named_too(exported: Exported) -> None:
    page, _ = exported.files["html"]
    mark = f'data-item="{ITEM}"'.encode()
    assert ITEM in exported.named("html", page.replace(mark, mark + b" hidden", 1))


@pytest.mark.parametrize(
    ("before", "after", "style"),
    [(b"<!--", b"-->", b""), (b"", b"", b'[data-item="%b"]{display:none}')],
)
def test_a_row_hidden_by_a_comment_or_a_style_is_named(
    exported: Exported, before: bytes, after: bytes, style: bytes
) -> None:
    page, _ = exported.files["html"]
    begin = page.rindex(b"<tr", 0, page.index(f'data-item="{ITEM}"'.encode()))
    end = page.index(b"</tr>", begin) + len(b"</tr>")
    hidden = page[:begin] + before + page[begin:end] + after + page[end:]
    rule = style % ITEM.encode() if style else b""
    assert exported.named("html", hidden.replace(b"</style>", rule + b"</style>", 1)) == {ITEM}


def test_a_key_s_name_in_a_proof_is_nobody_s_word(exported: Exported) -> None:
    """The ledger vouches for fingerprints: a name that was written over is not passed on."""
    content, proof = exported.files["json"]
    parsed = orjson.loads(proof)
    parsed["signatures"][0]["key"] = "省公安厅"
    verify = exported.house.files.verify_report
    renamed = verify(content, orjson.dumps(parsed), exported.vkeys)
    assert renamed.signed_by == verify(content, proof, exported.vkeys).signed_by


def test_a_long_key_is_not_said_again_for_all_it_holds() -> None:
    inner = {str(number): 1 for number in range(3_000)}
    content = json.dumps({"k" * (1 << 20): inner}).encode()
    tracemalloc.start()
    names = [each.name for each in json_parts(content, ())]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {len(name) for name in names} == {160}
    assert peak < 6 * len(content)


def test_more_parts_than_a_proof_lists_end_in_one() -> None:
    rows = [{"id": str(number)} for number in range(MOST_PARTS + 5)]
    parts = parts_of("oscal", json.dumps({"risks": rows}).encode(), ())
    assert len(parts) == MOST_PARTS
    rows[-1]["more"] = "x"
    others = parts_of("oscal", json.dumps({"risks": rows}).encode(), ())
    assert [change.name for change in compare(parts, others)] == ["all the rest"]


def test_a_changed_summary_is_named_by_its_heading(exported: Exported) -> None:
    page, proof = exported.files["html"]
    changed = page.replace("未核查".encode(), "  符合".encode(), 1)
    refused = exported.refused(changed, proof)
    assert "changed: section " in refused
    assert exported.named("html", changed) == set()


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_truncated_report_is_named_as_such(exported: Exported, form: str) -> None:
    content, proof = exported.files[form]
    refused = exported.refused(content[: len(content) // 2], proof)
    assert "the report was changed" in refused
    assert ("unreadable" in refused) == (form == "json")


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 9, b"[" * 100_000, b'{"a":1,"a":2}', b"9" * 9_999]
)
@pytest.mark.parametrize("form", ["html", "json"])
def test_whatever_was_made_of_the_file_the_refusal_has_a_reason(
    exported: Exported, form: str, content: bytes
) -> None:
    assert "the report was changed" in exported.refused(content, exported.files[form][1])


def forged(proof: bytes, **changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(proof), **changes})


def other_signatures(message: bytes = b"anything") -> list[dict[str, str]]:
    return [
        {
            "algorithm": signature.algorithm,
            "key": "test",
            "public_key": base64.b64encode(signature.public_key).decode(),
            "signature": base64.b64encode(signature.signature).decode(),
        }
        for signature in FakeReportSigner().sign_report(message)
    ]


def test_forgeries_are_refused_with_their_reason(exported: Exported) -> None:
    content, proof = exported.files["html"]
    theirs = orjson.loads(exported.files["json"][1])
    parsed, vkeys = orjson.loads(proof), exported.vkeys
    claims, parts = parsed["claims"], parsed["parts"]
    bomb = base64.b64encode(zlib.compress(bytes(129 << 20), 1)).decode()
    cases = {
        "changed": (exported.files["json"][0], proof, vkeys),
        "no verification keys": (content, proof, []),
        "ledger's proof fails": (content, forged(proof, record="AAAA"), vkeys),
        "not those the ledger names": (content, forged(proof, signatures=[]), vkeys),
        "does not name": (content, forged(proof, signatures=other_signatures()), vkeys),
        "about something else": (
            content,
            forged(proof, record=theirs["record"], ledger_proof=theirs["ledger_proof"]),
            vkeys,
        ),
        "record is about something": (
            content,
            forged(proof, claims={**claims, "issued_at": "2020-01-01T00:00:00Z"}),
            vkeys,
        ),
        "list of parts in the proof": (content, forged(proof, parts=parts[1:]), vkeys),
        "list of parts is malformed": (content, forged(proof, parts=[["a", "b", "", []]]), vkeys),
        "parts is malformed": (content, forged(proof, parts={}), vkeys),
        "list of findings": (content, forged(proof, findings=parsed["findings"][1:]), vkeys),
        "document in the proof was changed": (content, forged(proof, document=bomb), vkeys),
        "document in the proof can't": (content, forged(proof, document="AAAA"), vkeys),
        "unknown kind": (content, forged(proof, kind="x"), vkeys),
        "claims nothing": (content, forged(proof, claims=None), vkeys),
        "malformed": (content, forged(proof, record=None), vkeys),
        "not JSON": (content, b"{", vkeys),
        "not a JSON object": (content, b"[]", vkeys),
        "larger": (content, b" " * (32 << 20) + b"{}", vkeys),
    }
    for why, (report, its_proof, keys) in cases.items():
        assert why in exported.refused(report, its_proof, keys)


def test_a_report_re_signed_by_other_keys_is_refused(exported: Exported) -> None:
    """The forger makes claims, lists and signatures anew, and keeps the ledger's record."""
    document = json.loads(exported.files["json"][0])
    document["score"] = "100.00"
    content = orjson.dumps(document)
    parts = parts_of("json", content, item_ids(document))
    claims = claims_of(
        "report",
        content,
        sm3=sm3(content).hex(),
        document=document,
        form="json",
        language="zh",
        parts=parts,
        issued_at=0,
    )
    genuine = orjson.loads(exported.files["json"][1])
    signatures = tuple(FakeReportSigner().sign_report(signed_message(claims)))
    record = base64.b64decode(genuine["record"])
    proof = build_proof(
        claims, document, parts, SealedWith(signatures, record, genuine["ledger_proof"])
    )
    assert "about something else" in exported.refused(content, proof)


def test_a_proof_from_a_strange_ledger_is_refused(exported: Exported, tmp_path: Path) -> None:
    """Another installation seals the same report: its ledger's key is not the one kept."""
    with report_house(tmp_path) as stranger:
        content = exported.files["json"][0]
        document = json.loads(content)
        parts = parts_of("json", content, item_ids(document))
        claims = {**orjson.loads(exported.files["json"][1])["claims"]}
        (sealed,) = stranger.services.reports.tools.sealing.seal(AUDITOR, [claims])
        proof = build_proof(claims, document, parts, sealed)
        assert "ledger's proof fails" in exported.refused(content, proof)
        assert exported.refused(content, proof, stranger.vkeys) == ""


def test_an_old_key_signs_nothing_new(exported: Exported) -> None:
    """A retired report key in wrong hands: its signature fits, no record of the ledger names it."""
    content, proof = exported.files["html"]
    signer, parsed = exported.house.signer, orjson.loads(proof)
    old = signer.keys
    signer.keys = FakeReportSigner().keys
    made = exported.house.services.reports.export_report(AUDITOR, exported.document["id"], "html")
    signer.keys = old
    assert exported.refused(made.content, made.proof) == ""  # old reports keep verifying
    theirs = orjson.loads(made.proof)["signatures"]
    assert "does not name" in exported.refused(content, forged(proof, signatures=theirs))
    assert parsed["signatures"] != theirs


def test_a_finding_is_proved_from_any_form_and_verifies_alone(exported: Exported) -> None:
    files = exported.house.files
    for form in ("html", "json"):
        small = files.prove_finding(*exported.files[form], ITEM, exported.vkeys)
        verified = files.verify_finding(small, exported.vkeys)
        assert verified.finding is not None
        assert (verified.finding["id"], verified.assessment_id) == (ITEM, exported.document["id"])
        assert len(small) < 20_000


def test_a_changed_finding_and_one_that_is_not_there_are_refused(exported: Exported) -> None:
    files = exported.house.files
    small = orjson.loads(files.prove_finding(*exported.files["html"], ITEM, exported.vkeys))
    cases = {
        "does not lead to the root": {"item": {**small["item"], "status": "partial"}},
        "finding was changed": {"index": small["index"] + 1},
        "is malformed": {"item": None},
        "proof is malformed": {"paths": {"sha256": ["00"], "sm3": []}},
        "unknown kind": {"v": 2},
    }
    for why, change in cases.items():
        with pytest.raises(ReportRejected, match=why):
            files.verify_finding(orjson.dumps({**small, **change}), exported.vkeys)
    with pytest.raises(NotFound):
        files.prove_finding(*exported.files["html"], "L3-CES1-99", exported.vkeys)
    with pytest.raises(ReportChanged):
        files.prove_finding(b"<p>", exported.files["html"][1], ITEM, exported.vkeys)


def test_every_form_of_a_report_can_be_taken_apart() -> None:
    for form in FORMS:
        if form in ("pdf", "docx", "xlsx"):
            with pytest.raises(ReportRejected):
                parts_of(form, b"", ())
        else:
            assert len(parts_of(form, b"{}", ())) < 2


def test_the_packed_document_is_the_canonical_one(exported: Exported) -> None:
    assert (
        zlib.decompress(base64.b64decode(packed({"b": 1, "a": "甲"})))
        == '{"a":"甲","b":1}'.encode()
    )


def test_partners_get_report_and_proof_in_one_message(exported: Exported) -> None:
    reports = exported.house.services.reports
    which = exported.document["id"]
    made = reports.protect_report(AUDITOR, which, "json", wishes=Wishes(partners=("market",)))
    head, _, packed_files = made.content.partition(b"\n")
    assert (head, made.proof) == (b"to market by acc_auditor", b"")
    with zipfile.ZipFile(io.BytesIO(packed_files)) as inside:
        report, proof = (inside.read(name) for name in inside.namelist())
    assert exported.refused(report, proof, exported.house.vkeys) == ""
    details = orjson.loads(base64.b64decode(orjson.loads(proof)["record"]))["details"]
    assert details["partners"] == ["market"]
    (newest, *_) = reports.list_exports(AUDITOR, PageRequest(1)).items
    assert (newest.form, newest.partners) == ("json", "market")


def test_what_cannot_be_encrypted_is_not_recorded_as_exported(exported: Exported) -> None:
    services, which = exported.house.services, exported.document["id"]
    before = services.reports.list_exports(AUDITOR, PageRequest(200)).items
    with pytest.raises(NotFound):
        services.reports.protect_report(AUDITOR, which, "json", wishes=Wishes(partners=("x",)))
    with pytest.raises(NotFound):
        services.archives.pack_archive(AUDITOR, which, wishes=Wishes(partners=("x",)))
    assert services.reports.list_exports(AUDITOR, PageRequest(200)).items == before


def test_an_encryption_that_fails_at_the_last_is_in_the_ledger(exported: Exported) -> None:
    reports = exported.house.services.reports
    failing = FakeProtection()
    failing.failing = True
    broken = replace(reports, tools=replace(reports.tools, protection=failing))
    with pytest.raises(Conflict):
        broken.protect_report(
            AUDITOR, exported.document["id"], "json", wishes=Wishes(partners=("market",))
        )
    ledger = exported.house.services.ledger
    ledger.sequencer.tick()
    last = json.loads([stored.entry.record for stored in ledger.store.entries(0, 10_000)][-1])
    assert (last["action"], last["outcome"]) == ("audits.protect_export", "failed")


def test_without_a_key_pool_nothing_is_encrypted_and_nothing_leaves(exported: Exported) -> None:
    services = exported.house.services
    bare = replace(services.reports, tools=replace(services.reports.tools, protection=None))
    which = exported.document["id"]
    before = bare.list_exports(AUDITOR, PageRequest(200)).items
    with pytest.raises(ProtectionUnavailable):
        bare.protect_report(AUDITOR, which, "json", wishes=Wishes(partners=("market",)))
    with pytest.raises(ProtectionUnavailable):
        replace(services.archives, reports=bare).pack_archive(
            AUDITOR, which, wishes=Wishes(partners=("market",))
        )
    assert bare.list_exports(AUDITOR, PageRequest(200)).items == before
