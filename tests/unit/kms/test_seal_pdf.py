"""Seals on PDFs: PAdES that pdfsig and pyHanko validate, SM2 that only we do; attacks on both."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from kms.adapters.pdf import validating
from kms.core.etsi319142.verification import verify_pdf
from kms.core.trust import Trust
from kms.errors.seals import DocumentRejected, NotSealHolder, SealRejected
from kms.models.seals import VerificationReport
from kms.models.stamps import EdgePlace, PadesForm, PdfStandard, Stamping, StampPlace, StampRequest
from kms.ports.pdf import PdfRequest, PreparedPdf, ReadPdf
from kms.service.seals import SealStamping, SealUses
from secops.crypto.hashes import sm3
from secops.kernel.clock import MINUTE, SECOND
from secops.kernel.errors import TooLarge
from secops.kernel.pages import PageRequest
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import assemble, paged_pdf
from tests.fakes.seal_registry import AUDITOR, HOLDER, OTHER_HOLDER, SECURITY, World, build
from tests.fakes.sealing import PixelPainter, Recipe, make_seal, make_signature, mint

PLACE = Stamping((StampPlace(1, 120, 200),))
AT_THE_CORNER = Stamping((StampPlace(1, 0, 0),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("pdf"), PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


@pytest.fixture(scope="module")
def seal_id(world: World) -> str:
    return world.make().id


def stamp(
    world: World, seal_id: str, document: bytes, stamping: Stamping = PLACE, **more: Any
) -> bytes:
    who = more.pop("who", HOLDER)
    more.setdefault("pades", PadesForm("b-b"))
    wish = StampRequest(document, stamping, "印发", **more)
    return world.stamping.stamp_document(who, seal_id, wish).document


@pytest.fixture(scope="module")
def sealed(world: World, seal_id: str) -> bytes:
    return stamp(world, seal_id, paged_pdf(2))


@pytest.fixture(scope="module")
def sealed_by_sm2(world: World, seal_id: str) -> bytes:
    return stamp(world, seal_id, paged_pdf(2), standard="sm2")


def judged(world: World, document: bytes) -> VerificationReport:
    return world.verification.verify_seal(document, None)


def steps(report: VerificationReport, number: int = 0) -> dict[str, bool | None]:
    return {step.what: step.ok for step in report.signatures[number].steps}


def warnings(report: VerificationReport) -> list[str]:
    return [text.en for text in report.signatures[0].warnings]


def test_a_pdf_is_sealed_by_pades_and_verified_step_by_step(world: World, sealed: bytes) -> None:
    report = judged(world, sealed)
    assert (report.valid, report.kind, report.version) == (True, "pdf", None)
    assert steps(report) == {
        "structure": True,
        "digest": True,
        "range": True,
        "signature": True,
        "chain": True,
        "validity": True,
        "revocation": True,
        "timestamp": None,
        "policy": True,
    }
    verdict = report.signatures[0]
    assert verdict.signer == "CN=zhou,OU=测试/内部用,O=临江县数据局,C=CN"
    assert verdict.signed_at == world.clock.now() // SECOND * SECOND
    assert any("without legal effect" in text for text in warnings(report))


def test_a_pdf_is_sealed_by_sm2_and_says_plainly_who_reads_it(
    world: World, sealed_by_sm2: bytes
) -> None:
    report = judged(world, sealed_by_sm2)
    assert (report.valid, report.kind, report.version) == (True, "pdf", 4)
    assert steps(report)["seal_signature"] is True
    assert b"/SubFilter /GBT38540.SES" in sealed_by_sm2
    assert any("common PDF readers don't validate it" in text for text in warnings(report))


def test_a_second_signature_leaves_the_first_one_valid(
    world: World, seal_id: str, sealed: bytes
) -> None:
    twice = stamp(world, seal_id, sealed, Stamping((StampPlace(-1, 10, 10),)))
    report = judged(world, twice)
    assert [verdict.valid for verdict in report.signatures] == [True, True]
    reasons = [step.why.en for step in report.signatures[0].steps if step.what == "range"]
    assert reasons == ["only signatures came after it"]


def test_the_picture_stands_where_it_was_wanted(sealed: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(sealed))
    (signature,) = reader.embedded_signatures
    left, bottom, right, top = (float(each) for each in signature.sig_field["/Rect"])
    points = 72 / 25.4
    assert left == pytest.approx(120 * points, abs=1)
    assert top == pytest.approx(842 - 200 * points, abs=1)
    assert right - left == pytest.approx(42 * points, abs=1)
    assert top - bottom == pytest.approx(42 * points, abs=1)


def test_the_picture_stands_within_what_readers_show(world: World, seal_id: str) -> None:
    document = paged_pdf(page="/CropBox [100 100 495 642]")
    reader = PdfFileReader(io.BytesIO(stamp(world, seal_id, document, AT_THE_CORNER)))
    (signature,) = reader.embedded_signatures
    left, _, _, top = (float(each) for each in signature.sig_field["/Rect"])
    assert (left, top) == pytest.approx((100, 642), abs=1)


def test_pyhankos_own_validation_trusts_our_root_and_no_other(world: World, sealed: bytes) -> None:
    roots = [anchor.der for anchor in world.parts.authority.anchors()]
    for number, expected in ((1, True), (0, False)):
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(roots[number])],
            allow_fetching=False,
            moment=_moment(world),
        )
        (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
        status = validate_pdf_signature(signature, context)
        assert (status.intact, status.valid, status.trusted) == (True, True, expected)
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.pkcs7_signature_mechanism == "sha256_ecdsa"


def _moment(world: World) -> Any:
    return datetime.fromtimestamp(world.clock.now() // SECOND, UTC)


@pytest.mark.service
def test_pdfsig_validates_pades_and_refuses_a_changed_page(
    sealed: bytes, sealed_by_sm2: bytes, tmp_path: Path
) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("no pdfsig (Debian: poppler-utils)")
    changed = sealed.replace(b"(Notice 1)", b"(Notice 7)")
    said = {}
    for name, content in (("sound", sealed), ("changed", changed), ("sm2", sealed_by_sm2)):
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(content)
        done = subprocess.run(
            ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False
        )
        said[name] = done.stdout
    assert "Signature is Valid" in said["sound"]
    assert "Total document signed" in said["sound"]
    assert "ETSI.CAdES.detached" in said["sound"]
    assert "Signature is Valid" not in said["changed"]
    assert "Signature is Valid" not in said["sm2"]


def test_a_use_of_each_kind_is_entered(world: World, seal_id: str, sealed: bytes) -> None:
    assert sealed.startswith(b"%PDF")
    forms = {use.form for use in world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items}
    assert {"pdf"} <= forms
    document = paged_pdf(1)
    wish = StampRequest(document, PLACE, "归档", "sm2")
    use = world.stamping.stamp_document(HOLDER, seal_id, wish).use
    assert (use.form, use.digest, use.purpose) == ("pdf_sm2", sm3(document).hex(), "归档")


def test_who_is_no_holder_seals_no_pdf(world: World, seal_id: str) -> None:
    with pytest.raises(NotSealHolder):
        stamp(world, seal_id, paged_pdf(), who=OTHER_HOLDER)


def test_a_revoked_seal_takes_the_certificate_of_its_pdfs_with_it(world: World) -> None:
    seal = world.make(name="临江县水务局")
    before = stamp(world, seal.id, paged_pdf())
    world.clock.advance(MINUTE // SECOND)
    world.registry.revoke_seal(SECURITY, seal.id, "撤销")
    report = judged(world, before)
    assert report.valid
    assert any("was revoked" in text for text in warnings(report))
    source = world.parts.authority.revocation_source()
    assert source is not None
    early = {key: at - 10 * MINUTE for key, at in source.revoked.items()}
    trust = Trust(
        world.clock.now(), world.parts.authority.anchors(), replace(source, revoked=early)
    )
    report = verify_pdf(before, PdfInProcess().read(before), trust)
    assert steps(report)["revocation"] is False


def test_the_home_s_anchors_hold_both_roots(world: World, sealed: bytes) -> None:
    assert sealed
    pem = world.parts.authority.anchor_file.read()
    assert pem is not None
    assert pem.count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("standard", ["pades", "sm2"])
def test_a_seal_by_sm2_is_the_last_one_and_none_breaks_it(
    world: World, seal_id: str, sealed_by_sm2: bytes, standard: PdfStandard
) -> None:
    with pytest.raises(DocumentRejected, match="earlier signature"):
        stamp(world, seal_id, sealed_by_sm2, standard=standard)


def test_a_seal_by_sm2_may_come_after_pades(world: World, seal_id: str, sealed: bytes) -> None:
    report = judged(world, stamp(world, seal_id, sealed, standard="sm2"))
    assert [verdict.valid for verdict in report.signatures] == [True, True]


def test_a_pdf_changed_after_it_was_sealed_takes_no_further_seal(
    world: World, seal_id: str, sealed: bytes
) -> None:
    with pytest.raises(DocumentRejected, match="earlier signature"):
        stamp(world, seal_id, appended(world, sealed, other_page))


# attacks


def appended(world: World, document: bytes, change: Callable[[Any], None]) -> bytes:
    """Return ``document`` with an incremental update."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def other_page(writer: Any) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    stream = generic.StreamObject(stream_data=b"BT /F1 24 Tf 72 720 Td (Forged) Tj ET")
    page["/Contents"] = writer.add_object(stream)
    writer.update_container(page)


def annotation(writer: Any) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    name = generic.pdf_name
    box = generic.ArrayObject([generic.NumberObject(each) for each in (0, 0, 595, 842)])
    note = generic.DictionaryObject(
        {name("/Type"): name("/Annot"), name("/Subtype"): name("/FreeText"), name("/Rect"): box}
    )
    page["/Annots"] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)


def appearance(writer: Any, text: bytes) -> Any:
    name = generic.pdf_name
    box = generic.ArrayObject([generic.NumberObject(each) for each in (0, 0, 500, 600)])
    entries = {name("/Type"): name("/XObject"), name("/Subtype"): name("/Form"), name("/BBox"): box}
    content = b"1 g 0 0 500 600 re f BT /Helv 24 Tf 9 500 Td (" + text + b") Tj ET"
    return writer.add_object(generic.StreamObject(entries, stream_data=content))


def with_field(writer: Any) -> None:
    """Add a field for text over the whole page, which shows nothing yet."""
    name, page = generic.pdf_name, writer.root["/Pages"]["/Kids"][0]
    box = generic.ArrayObject([generic.NumberObject(each) for each in (20, 20, 520, 620)])
    shown = generic.DictionaryObject({name("/N"): appearance(writer, b"")})
    field = generic.DictionaryObject(
        {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name("/Widget"),
            name("/FT"): name("/Tx"),
            name("/T"): generic.TextStringObject("Sum"),
            name("/Rect"): box,
            name("/AP"): shown,
        }
    )
    reference = writer.add_object(field)
    page["/Annots"] = generic.ArrayObject([reference])
    form = {name("/Fields"): generic.ArrayObject([reference])}
    writer.root["/AcroForm"] = writer.add_object(generic.DictionaryObject(form))
    writer.update_container(page)
    writer.update_root()


def filled_in(writer: Any) -> None:
    """Let the field cover the page with something else."""
    name = generic.pdf_name
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/V"] = generic.TextStringObject("900000")
    field["/AP"] = generic.DictionaryObject({name("/N"): appearance(writer, b"Forged")})
    writer.update_container(field)


def test_a_field_filled_in_after_a_seal_is_a_change_whoever_seals_it_then(
    world: World, seal_id: str
) -> None:
    form = appended(world, paged_pdf(2), with_field)
    once = stamp(world, seal_id, form)
    assert judged(world, once).valid
    twice = stamp(world, seal_id, once, AT_THE_CORNER)
    assert [each.valid for each in judged(world, twice).signatures] == [True, True]
    filled = appended(world, once, filled_in)
    (found,) = PdfInProcess().read(filled).signatures
    assert not found.unchanged
    with pytest.raises(DocumentRejected, match="earlier signature"):
        stamp(world, seal_id, filled, AT_THE_CORNER)


def byte_range(document: bytes) -> tuple[int, ...]:
    found = re.search(rb"/ByteRange \[ *(\d+) +(\d+) +(\d+) +(\d+) *\]", document)
    assert found is not None
    return tuple(map(int, found.groups()))


def with_range(document: bytes, numbers: tuple[int, ...]) -> bytes:
    found = re.search(rb"/ByteRange \[[^\]]*\]", document)
    assert found is not None
    new = b"/ByteRange [" + b" ".join(b"%d" % number for number in numbers)
    assert len(new) < len(found[0])
    return document.replace(found[0], new.ljust(len(found[0]) - 1) + b"]")


def with_contents(document: bytes, value: bytes) -> bytes:
    _, start, end, _ = byte_range(document)
    room = (end - start - 2) // 2
    return document[: start + 1] + value.ljust(room, b"\0").hex().encode() + document[end - 1 :]


def contents(document: bytes) -> bytes:
    _, start, end, _ = byte_range(document)
    return bytes.fromhex(document[start + 1 : end - 1].decode())


def shifted(document: bytes) -> bytes:
    _, start, end, rest = byte_range(document)
    return with_range(document, (0, start - 100, end, rest))


def signed_by(recipe: Recipe, document: bytes, **changes: Any) -> bytes:
    """Return ``document`` with a SES_Signature of ``recipe`` in it."""
    _, start, end, rest = byte_range(document)
    digest = sm3(document[:start] + document[end : end + rest])
    fields = {"data_hash": digest, "property_info": "/ByteRange", **changes}
    return with_contents(document, make_signature(recipe.but(**fields)))


def sha1(document: bytes) -> bytes:
    """Return the CMS with another digest algorithm named in it."""
    return with_contents(
        document,
        contents(document).replace(
            bytes.fromhex("608648016503040201"), bytes.fromhex("2b0e03021a") + b"\0" * 4
        ),
    )


Attack = Callable[[World, bytes], bytes]
BOTH: dict[str, Attack] = {
    "the page changed": lambda _, doc: doc.replace(b"(Notice 1)", b"(Notice 7)"),
    "the signing time changed": lambda _, doc: doc.replace(b"20260101", b"20250101"),
    "a signing time before all years": lambda _, doc: doc.replace(
        rb"(D\07220260101000000Z)", b"(D:00010101000000+14')"
    ),
    "another page appended": lambda world, doc: appended(world, doc, other_page),
    "an annotation over the page": lambda world, doc: appended(world, doc, annotation),
    "the range leaves out more": lambda _, doc: shifted(doc),
    "the range ends early": lambda _, doc: with_range(doc, (*byte_range(doc)[:3], 10)),
    "the range begins late": lambda _, doc: with_range(doc, (9, *byte_range(doc)[1:])),
    "the range goes beyond the file": lambda _, doc: with_range(doc, (*byte_range(doc)[:3], 999)),
    "the range overlaps": lambda _, doc: with_range(
        doc, (0, byte_range(doc)[2], byte_range(doc)[1], byte_range(doc)[3])
    ),
    "the range has three numbers": lambda _, doc: with_range(doc, byte_range(doc)[:3]),
    "the range is below zero": lambda _, doc: with_range(doc, (0, -1, *byte_range(doc)[2:])),
    "no value": lambda _, doc: with_contents(doc, b""),
    "a value of one byte": lambda _, doc: with_contents(doc, b"\x30\x82"),
    "rubbish as the value": lambda _, doc: with_contents(doc, b"\x30\x03\x02\x01\x05"),
    "the value cut": lambda _, doc: with_contents(doc, contents(doc).rstrip(b"\0")[:-9]),
    "bytes hidden behind the value": lambda _, doc: with_contents(
        doc, contents(doc).rstrip(b"\0") + b"hidden"
    ),
    "something behind the end": lambda _, doc: doc + b"\n% appended\n",
    "a value of another document": lambda world, doc: with_contents(
        doc, contents(doc)[:-1] + b"\0"
    ).replace(b"(Notice 2)", b"(Notice 3)"),
    "a seal's value by strangers": lambda _, doc: signed_by(Recipe(mint=mint()), doc).replace(
        b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter /GBT38540.SES        "
    ),
    "the other subfilter": lambda _, doc: (
        doc.replace(b"ETSI.CAdES.detached", b"GBT38540.SES       ")
        if b"ETSI" in doc
        else doc.replace(b"GBT38540.SES", b"ETSI.RFC3161")
    ),
    "cut in the middle": lambda _, doc: doc[: len(doc) // 2],
}
ONE_BY_CMS: dict[str, Attack] = {"an old digest": lambda _, doc: sha1(doc)}
ONE_BY_SES: dict[str, Attack] = {
    "a value that protects something else": lambda _, doc: signed_by(
        Recipe(), doc, property_info="detached"
    ),
    "a digest of something else": lambda _, doc: signed_by(Recipe(), doc, data_hash=sm3(b"x")),
    "a seal as the value": lambda _, doc: with_contents(doc, make_seal(Recipe())),
}


def refused(world: World, document: bytes) -> bool:
    try:
        return not judged(world, document).valid
    except DocumentRejected:
        return True


@pytest.mark.parametrize("name", sorted(BOTH | ONE_BY_CMS))
def test_an_attack_on_pades_is_not_accepted(world: World, sealed: bytes, name: str) -> None:
    attacked = (BOTH | ONE_BY_CMS)[name](world, sealed)
    assert attacked != sealed
    assert refused(world, attacked)


@pytest.mark.parametrize("name", sorted(BOTH | ONE_BY_SES))
def test_an_attack_on_sm2_in_a_pdf_is_not_accepted(
    world: World, sealed_by_sm2: bytes, name: str
) -> None:
    attacked = (BOTH | ONE_BY_SES)[name](world, sealed_by_sm2)
    assert attacked != sealed_by_sm2
    assert refused(world, attacked)


def test_a_foreign_signature_of_the_same_form_is_judged_by_the_anchors(
    world: World, sealed_by_sm2: bytes
) -> None:
    document = signed_by(Recipe(), sealed_by_sm2)
    found = PdfInProcess().read(document)
    assert verify_pdf(document, found, Trust(Recipe().signed_at, mint().anchors)).valid
    assert not judged(world, document).valid


REFUSED: dict[str, Callable[[], bytes]] = {
    "nothing behind the magic": lambda: b"%PDF-1.7",
    "no pages": lambda: paged_pdf(0),
    "a rotated page": lambda: paged_pdf(page="/Rotate 90"),
    "no size": lambda: paged_pdf(pages=""),
    "a page whose visible part is too small": lambda: paged_pdf(page="/CropBox [0 0 100 100]"),
    "a page with a unit of its own": lambda: paged_pdf(page="/UserUnit 10"),
    "a small page": lambda: paged_pdf(pages="/MediaBox [0 0 100 100]"),
    "a size of words": lambda: paged_pdf(pages="/MediaBox [/a /b /c /d]"),
    "a certified document": lambda: paged_pdf(catalog="/Perms << /DocMDP 3 0 R >>"),
    "an encrypted document": lambda: assemble(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"],
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (x) /P -4 >> /ID [(a) (b)]",
    ),
    "pages that are their own parents": lambda: assemble(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
        ]
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_pdf_that_is_not_safe_to_seal_is_refused(world: World, seal_id: str, name: str) -> None:
    with pytest.raises(DocumentRejected):
        stamp(world, seal_id, REFUSED[name]())


@pytest.mark.parametrize(
    "stamping",
    [
        Stamping(edge=EdgePlace(100)),
        Stamping((StampPlace(1, 1, 1), StampPlace(2, 1, 1))),
        Stamping((StampPlace(0, 1, 1),)),
        Stamping((StampPlace(3, 1, 1),)),
        Stamping((StampPlace(1, -1, 1),)),
        Stamping((StampPlace(1, 1, 290),)),
        Stamping((StampPlace(1, float("nan"), 1),)),
        Stamping((StampPlace(1, 1, float("inf")),)),
        Stamping((StampPlace(1 << 70, 1, 1),)),
    ],
)
def test_a_place_that_a_pdf_has_not_is_refused(
    world: World, seal_id: str, stamping: Stamping
) -> None:
    with pytest.raises(DocumentRejected):
        stamp(world, seal_id, paged_pdf(2), stamping)


def test_a_pdf_above_the_limit_is_refused(world: World, seal_id: str) -> None:
    with pytest.raises(TooLarge):
        stamp(world, seal_id, b"%PDF" + bytes(20 << 20))


def test_a_signature_that_does_not_verify_is_not_given_out(
    world: World, seal_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(world.keys.p256)
    for name in known:
        monkeypatch.setitem(world.keys.p256, name, known[next(iter(known))])
    with pytest.raises(SealRejected, match="signature wrong"):
        stamp(world, seal_id, paged_pdf())


class HidingFiles(PdfInProcess):
    """A hostile PDF hides its signature, or what is signed is another one."""

    def __init__(self, *, other: bytes = b"") -> None:
        self._other = other

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        return super().prepare(self._other or document, request)

    def read(self, document: bytes) -> ReadPdf:
        return super().read(document) if self._other else ReadPdf(())


@pytest.mark.parametrize("other", [b"", paged_pdf(3)], ids=["hidden", "another document"])
def test_a_signature_that_nobody_finds_is_not_given_out(
    world: World, seal_id: str, other: bytes
) -> None:
    parts = replace(world.parts, pdf=HidingFiles(other=other))
    stamping = SealStamping(parts, SealUses(parts))
    before = len(world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items)
    with pytest.raises(SealRejected, match="does not show its signature"):
        stamping.stamp_document(HOLDER, seal_id, StampRequest(paged_pdf(), PLACE))
    assert len(world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items) == before


def more_fields(writer: Any) -> None:
    """Put the same signature into three more fields."""
    fields, name = writer.root["/AcroForm"]["/Fields"], generic.pdf_name
    for number in range(3):
        field = generic.DictionaryObject(
            {
                name("/FT"): name("/Sig"),
                name("/T"): generic.pdf_string(f"More{number}"),
                name("/V"): fields[0].get_object().raw_get("/V"),
            }
        )
        fields.append(writer.add_object(field))
    writer.update_container(fields)


def test_one_signature_in_many_fields_is_refused(world: World, sealed_by_sm2: bytes) -> None:
    with pytest.raises(DocumentRejected, match="share a signature"):
        judged(world, appended(world, sealed_by_sm2, more_fields))


def test_signatures_over_more_than_the_limit_in_all_are_refused(
    world: World, sealed_by_sm2: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "_MAX_HASHED", 1_000)
    with pytest.raises(DocumentRejected, match="in all"):
        judged(world, sealed_by_sm2)


def test_a_pdf_without_a_signature_has_none(world: World) -> None:
    report = judged(world, paged_pdf())
    assert (report.valid, report.signatures) == (False, ())
    assert [text.en for text in report.warnings] == ["the file has no signature"]


def found(sealed: bytes, **changes: Any) -> ReadPdf:
    (signature,) = PdfInProcess().read(sealed).signatures
    return ReadPdf((replace(signature, **changes),))


def verdict_of(world: World, sealed: bytes, **changes: Any) -> VerificationReport:
    trust = Trust(world.clock.now(), world.parts.authority.anchors())
    return verify_pdf(sealed, found(sealed, **changes), trust)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"signer_certificate": b"\x30\x00"}, "structure"),
        ({"problem": "x"}, "structure"),
        ({"contents": b"\x30\x80\x00\x00"}, "structure"),
        ({"contents": b""}, "structure"),
        ({"intact": False}, "digest"),
        ({"valid": False}, "signature"),
        ({"valid": None}, "signature"),
        ({"covers_file": False, "unchanged": True}, "range"),
        ({"covers_file": False, "unchanged": False, "validation_data": True}, "range"),
        ({"digest_algorithm": "sha1"}, "policy"),
        ({"digest_algorithm": ""}, "policy"),
        ({"signed_at": 1}, "validity"),
    ],
)
def test_each_finding_about_a_pdf_fails_its_own_step(
    world: World, sealed: bytes, changes: dict[str, Any], failed: str
) -> None:
    report = verdict_of(world, sealed, **changes)
    assert steps(report)[failed] is False
    assert not report.valid


def test_validation_data_behind_a_signature_is_no_change(world: World, sealed: bytes) -> None:
    changes = {"covers_file": False, "unchanged": True, "validation_data": True}
    assert verdict_of(world, sealed, **changes).valid


def test_without_a_signing_time_now_counts(world: World, sealed: bytes) -> None:
    assert verdict_of(world, sealed, signed_at=None).valid


def test_a_root_certificate_signs_no_pdf(world: World, sealed: bytes) -> None:
    root = world.parts.authority.anchors()[1].der
    assert steps(verdict_of(world, sealed, signer_certificate=root))["policy"] is False
