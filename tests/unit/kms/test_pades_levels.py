"""PAdES B-B to B-LTA by ECDSA and RSA: our verdict, that of others, and attacks on each part."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kms.core.etsi319142 import validation_data
from kms.core.etsi319142.verification import verify_pdf
from kms.core.trust import RevocationSource, Trust
from kms.core.x690 import read_der
from kms.core.x690 import writing as der
from kms.errors.seals import SealRejected
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.seals import VerificationReport
from kms.models.stamps import (
    PADES_KEYS,
    PADES_LEVELS,
    PadesForm,
    PadesKey,
    PadesLevel,
    Stamping,
    StampPlace,
    StampRequest,
)
from kms.ports.pdf import ReadPdf
from kms.service.seals import SealStamping, SealUses
from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import sha256
from secops.kernel.clock import DAY, MINUTE, SECOND, to_rfc3339
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.seal_registry import HOLDER, SECURITY, World, build
from tests.fakes.sealing import PixelPainter, mint
from tests.unit.kms.test_seal_pdf import appended, other_page

Signed = dict[tuple[PadesKey, PadesLevel], bytes]
PLACE = Stamping((StampPlace(1, 120, 200),))
LTA: tuple[PadesKey, PadesLevel] = ("ecdsa-p256", "b-lta")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("pades"), PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


@pytest.fixture(scope="module")
def seal_id(world: World) -> str:
    return world.make().id


def stamp(world: World, seal_id: str, document: bytes, form: PadesForm) -> bytes:
    wish = StampRequest(document, PLACE, "印发", pades=form)
    return world.stamping.stamp_document(HOLDER, seal_id, wish).document


@pytest.fixture(scope="module")
def signed(world: World, seal_id: str) -> Signed:
    return {
        (key, level): stamp(world, seal_id, paged_pdf(2), PadesForm(level, key))
        for key in PADES_KEYS
        for level in PADES_LEVELS
    }


def judged(world: World, document: bytes) -> VerificationReport:
    return world.verification.verify_seal(document, None)


def alone(world: World, document: bytes, **changes: Any) -> VerificationReport:
    """Return the verdict of who knows the roots and nothing else."""
    trust = Trust(world.clock.now(), world.parts.authority.anchors())
    return verify_pdf(document, PdfInProcess().read(document), replace(trust, **changes))


def oks(report: VerificationReport, number: int = 0) -> dict[str, bool | None]:
    return {step.what: step.ok for step in report.signatures[number].steps}


def why(report: VerificationReport, what: str, number: int = 0) -> str:
    (found,) = (step.why.en for step in report.signatures[number].steps if step.what == what)
    return found


ALL = [(key, level) for key in PADES_KEYS for level in PADES_LEVELS]
IDS = [f"{key} {level}" for key, level in ALL]


@pytest.mark.parametrize(("key", "level"), ALL, ids=IDS)
def test_each_level_by_each_key_is_valid_and_names_itself(
    world: World, signed: Signed, key: PadesKey, level: PadesLevel
) -> None:
    report = judged(world, signed[key, level])
    assert report.valid
    assert why(report, "structure") == f"CMS, ETSI.CAdES.detached, PAdES {level.upper()}"
    assert oks(report)["timestamp"] is (None if level == "b-b" else True)
    assert len(report.signatures) == (2 if level == "b-lta" else 1)


@pytest.mark.parametrize(("key", "level"), ALL, ids=IDS)
def test_revocations_are_known_from_the_file_alone_from_b_lt_on(
    world: World, signed: Signed, key: PadesKey, level: PadesLevel
) -> None:
    report = alone(world, signed[key, level])
    assert report.valid
    assert oks(report)["revocation"] is (True if level in ("b-lt", "b-lta") else None)


def test_the_time_stamp_of_a_document_has_a_verdict_of_its_own(
    world: World, signed: Signed
) -> None:
    report = judged(world, signed[LTA])
    assert oks(report, 1) == {
        "structure": True,
        "digest": True,
        "range": True,
        "signature": True,
        "chain": True,
        "validity": True,
        "revocation": True,
        "timestamp": True,
        "policy": True,
    }
    verdict = report.signatures[1]
    assert (verdict.seal_name, verdict.signed_at) == (
        None,
        world.clock.now() // SECOND * SECOND,
    )
    assert verdict.signer is not None
    assert "时间戳" in verdict.signer


@pytest.mark.parametrize("level", PADES_LEVELS)
def test_a_later_seal_leaves_each_level_valid(
    world: World, seal_id: str, signed: Signed, level: PadesLevel
) -> None:
    twice = stamp(world, seal_id, signed["ecdsa-p256", level], PadesForm("b-lta"))
    assert all(verdict.valid for verdict in judged(world, twice).signatures)


def test_the_instance_says_the_level_where_nobody_does(world: World, seal_id: str) -> None:
    parts = replace(world.parts, pades_level="b-lt")
    wish = StampRequest(paged_pdf(), PLACE)
    document = SealStamping(parts, SealUses(parts)).stamp_document(HOLDER, seal_id, wish).document
    assert why(judged(world, document), "structure").endswith("PAdES B-LT")


def test_a_time_stamp_outlives_the_signers_certificate(
    world: World, signed: Signed, seal_id: str
) -> None:
    now = world.clock.now() + 4 * 365 * DAY
    report = alone(world, signed[LTA], now=now)
    assert report.valid
    assert any("has expired since" in text.en for text in report.signatures[0].warnings)


def test_a_certificate_revoked_after_the_time_stamp_leaves_a_warning(world: World) -> None:
    seal = world.make(name="临江县档案局")
    both = [stamp(world, seal.id, paged_pdf(), PadesForm("b-lta", key)) for key in PADES_KEYS]
    world.clock.advance(10 * MINUTE // SECOND)
    world.registry.revoke_seal(SECURITY, seal.id, "撤销")
    for document in both:
        report = judged(world, document)
        assert report.valid
        assert any("was revoked" in text.en for text in report.signatures[0].warnings)


def test_what_the_judge_knows_of_a_revocation_counts_more_than_the_file(
    world: World, signed: Signed
) -> None:
    document = signed[LTA]
    (anchor,) = world.parts.authority.anchors()[1:]
    found = PdfInProcess().read(document)
    signer = read_certificate(found.signatures[0].signer_certificate)
    early = world.clock.now() - DAY
    source = RevocationSource(frozenset({anchor.subject}), {(signer.issuer, signer.serial): early})
    report = alone(world, document, revocations=source)
    assert oks(report)["revocation"] is False


# attacks


def changed_crl(world: World, document: bytes, change: Any) -> VerificationReport:
    found = PdfInProcess().read(document)
    data = found.validation_data
    lists = tuple(map(change, data.revocation_lists))
    altered = replace(found, validation_data=replace(data, revocation_lists=lists))
    trust = Trust(world.clock.now(), world.parts.authority.anchors())
    return verify_pdf(document, altered, trust)


def flipped(content: bytes, place: int = -5) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    "change",
    [
        flipped,
        lambda encoded: encoded[:-1],
        lambda _: b"",
        lambda _: b"\x30\x00",
        lambda encoded: encoded + bytes(validation_data._MAX_BYTES),
    ],
    ids=["a wrong signature", "cut", "nothing", "no list", "beyond the limit"],
)
def test_a_list_that_no_anchor_signed_says_nothing(
    world: World, signed: Signed, change: Any
) -> None:
    report = changed_crl(world, signed["ecdsa-p256", "b-lt"], change)
    assert oks(report)["revocation"] is None


def test_a_list_of_another_root_says_nothing(world: World, signed: Signed) -> None:
    document = signed["ecdsa-p256", "b-lt"]
    trust = Trust(world.clock.now(), mint().anchors)
    report = verify_pdf(document, PdfInProcess().read(document), trust)
    assert (oks(report)["chain"], oks(report)["revocation"]) == (False, None)


def test_a_list_that_was_over_before_the_signature_says_nothing(
    world: World, seal_id: str, signed: Signed
) -> None:
    old = PdfInProcess().read(signed["ecdsa-p256", "b-lt"]).validation_data
    world.clock.advance(2 * DAY // SECOND)
    document = stamp(world, seal_id, paged_pdf(), PadesForm("b-t"))
    found = replace(PdfInProcess().read(document), validation_data=old)
    trust = Trust(world.clock.now(), world.parts.authority.anchors())
    assert oks(verify_pdf(document, found, trust))["revocation"] is None


def test_a_list_from_the_future_says_nothing(world: World, signed: Signed) -> None:
    report = alone(world, signed["ecdsa-p256", "b-lt"], now=world.clock.now() - 9 * DAY)
    assert oks(report)["revocation"] is None


@pytest.fixture
def forging(world: World, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what seals a PDF whose time-stamps are made by a function, and judges it."""

    def forge(make: Any, level: PadesLevel = "b-t") -> VerificationReport:
        class Stamps:
            def stamp(self, hash_name: str, digest: bytes) -> bytes:
                return bytes(make(hash_name, digest))

        parts = replace(world.parts, time_stamps=Stamps())
        monkeypatch.setattr("kms.service.seals.pdf.PdfStamping._require_valid", lambda *_: None)
        wish = StampRequest(paged_pdf(), PLACE, pades=PadesForm(level))
        made = SealStamping(parts, SealUses(parts)).stamp_document(HOLDER, seal_id, wish)
        return judged(world, made.document)

    return forge


def test_a_time_stamp_of_something_else_is_refused(world: World, forging: Any) -> None:
    stamps = world.parts.time_stamps
    report = forging(lambda name, _: stamps.stamp(name, sha256(b"else")))
    assert (report.valid, oks(report)["timestamp"]) == (False, False)
    assert why(report, "timestamp") == "bad timestamp: it stamps something else"


def test_a_time_stamp_that_was_changed_is_refused(world: World, forging: Any) -> None:
    stamps = world.parts.time_stamps
    report = forging(lambda name, digest: flipped(stamps.stamp(name, digest), -3))
    assert (report.valid, oks(report)["timestamp"]) == (False, False)


def test_rubbish_as_a_time_stamp_is_refused(forging: Any) -> None:
    report = forging(lambda *_: der.octets(b"rubbish"))
    assert (report.valid, oks(report)["timestamp"]) == (False, False)


def test_a_document_is_not_stamped_by_a_token_over_something_else(
    world: World, forging: Any
) -> None:
    stamps = world.parts.time_stamps
    calls: list[int] = []

    def second_is_wrong(name: str, digest: bytes) -> bytes:
        calls.append(1)
        return stamps.stamp(name, digest if len(calls) == 1 else sha256(b"else"))

    report = forging(second_is_wrong, "b-lta")
    assert (report.signatures[0].valid, report.signatures[1].valid) == (True, False)
    assert oks(report, 1)["digest"] is False


def test_who_has_no_anchor_can_not_judge_a_time_stamp(world: World, signed: Signed) -> None:
    report = alone(world, signed[LTA], anchors=())
    assert (oks(report)["timestamp"], oks(report, 1)["chain"]) == (None, None)
    assert not report.valid


def test_a_signature_from_after_its_time_stamp_is_refused(world: World, signed: Signed) -> None:
    document = signed["ecdsa-p256", "b-t"]
    (found,) = PdfInProcess().read(document).signatures
    later = replace(found, signed_at=world.clock.now() + 6 * MINUTE)
    trust = Trust(world.clock.now() + DAY, world.parts.authority.anchors())
    report = verify_pdf(document, ReadPdf((later,)), trust)
    assert oks(report)["timestamp"] is False
    assert why(report, "timestamp").startswith("said to be signed after it was stamped")


@pytest.mark.parametrize("level", ["b-lt", "b-lta"])
def test_a_page_changed_behind_validation_data_is_not_accepted(
    world: World, signed: Signed, level: PadesLevel
) -> None:
    changed = appended(world, signed["ecdsa-p256", level], other_page)
    report = judged(world, changed)
    assert oks(report)["range"] is False


def altered(world: World, document: bytes, number: int, **changes: Any) -> VerificationReport:
    """Return the verdict on one signature of ``document``, as if it had been found otherwise."""
    found = PdfInProcess().read(document).signatures[number]
    trust = Trust(world.clock.now(), world.parts.authority.anchors())
    return verify_pdf(document, ReadPdf((replace(found, **changes),)), trust)


def test_two_signers_in_one_cms_are_refused(world: World, signed: Signed) -> None:
    document = signed["ecdsa-p256", "b-b"]
    (found,) = PdfInProcess().read(document).signatures
    kind, holder = read_der(found.contents.rstrip(b"\0")).children
    *fields, signers = holder.children[0].children
    twice = der.set_of(*(signers.children[0].raw for _ in range(2)))
    data = der.sequence(*(each.raw for each in fields), twice)
    value = der.sequence(kind.raw, der.explicit(0, data))
    report = altered(world, document, 0, contents=value)
    assert oks(report) == {"structure": False}
    assert why(report, "structure").startswith("malformed: 2 signers")


def test_a_signature_under_another_name_has_no_level(world: World, signed: Signed) -> None:
    document = signed["ecdsa-p256", "b-t"]
    report = altered(world, document, 0, subfilter="adbe.pkcs7.detached")
    assert (report.valid, why(report, "structure")) == (True, "CMS, adbe.pkcs7.detached")


def test_rubbish_in_the_place_of_a_documents_time_stamp_is_refused(
    world: World, signed: Signed
) -> None:
    report = altered(world, signed[LTA], 1, contents=der.octets(b"rubbish"))
    assert oks(report)["structure"] is False
    assert not report.valid


# what is not given out


def test_a_value_longer_than_its_room_is_not_written(
    world: World, seal_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms.service.seals.pdf.RESERVED", 100)
    with pytest.raises(SealRejected, match="100 were kept free"):
        stamp(world, seal_id, paged_pdf(), PadesForm("b-b"))


def test_without_an_authority_there_is_no_level_above_b_b(world: World, seal_id: str) -> None:
    class Down:
        def stamp(self, hash_name: str, digest: bytes) -> bytes:
            raise TimeStampUnavailable

    parts = replace(world.parts, time_stamps=Down())
    stamping = SealStamping(parts, SealUses(parts))
    for level in PADES_LEVELS[1:]:
        wish = StampRequest(paged_pdf(), PLACE, pades=PadesForm(level))
        with pytest.raises(TimeStampUnavailable):
            stamping.stamp_document(HOLDER, seal_id, wish)
    wish = StampRequest(paged_pdf(), PLACE, pades=PadesForm("b-b"))
    assert stamping.stamp_document(HOLDER, seal_id, wish).use.form == "pdf"


# judges nobody here wrote


def pyhanko(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("pyhanko")
    if not command.exists():
        pytest.skip("no pyhanko command (pyhanko-cli)")
    return subprocess.run(
        [str(command), "sign", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def judges(world: World, signed: Signed, tmp_path: Path) -> dict[str, str]:
    """The files, the document root in PEM, and a time soon after the signatures."""
    root = world.parts.authority.anchors()[1].der
    text = base64.encodebytes(root).decode()
    (tmp_path / "root.pem").write_text(
        f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n", encoding="ascii"
    )
    for (key, level), document in signed.items():
        (tmp_path / f"{key} {level}.pdf").write_bytes(document)
    at = PdfInProcess().read(signed[LTA]).signatures[0].signed_at or 0
    return {"folder": str(tmp_path), "at": to_rfc3339(at + MINUTE)}


def asked(judges: dict[str, str], name: str, verb: str, *more: str) -> str:
    folder = judges["folder"]
    said = pyhanko(
        verb,
        f"--trust={folder}/root.pem",
        "--trust-replace",
        f"--validation-time={judges['at']}",
        *more,
        f"{folder}/{name}.pdf",
    )
    return said.stdout + said.stderr


def names(chosen: Sequence[str], quick: Sequence[str]) -> list[Any]:
    """Return ``chosen``, all but ``quick`` for the full counts: the command starts for a second."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.deep) for name in chosen]


@pytest.mark.service
@pytest.mark.parametrize("name", names(IDS, (IDS[1], IDS[4])))
def test_pyhanko_trusts_each_level_by_each_key(judges: dict[str, str], name: str) -> None:
    said = asked(judges, name, "validate", "--no-revocation-check", "--pretty-print")
    assert "The signature is judged VALID." in said
    assert ("signature timestamp token" in said.lower()) is not name.endswith("b-b")


@pytest.mark.service
@pytest.mark.parametrize("name", names((*IDS[2:4], *IDS[6:], IDS[0]), (IDS[3], IDS[6])))
def test_pyhanko_judges_long_term_levels_by_what_is_in_the_file(
    judges: dict[str, str], name: str
) -> None:
    said = asked(judges, name, "adesverify", "--pretty-print")
    assert ("The signature is judged VALID." in said) is ("b-lt" in name)


@pytest.mark.service
def test_pyhanko_refuses_a_changed_page_at_each_level(
    signed: Signed, judges: dict[str, str]
) -> None:
    path = Path(judges["folder"]) / "changed.pdf"
    path.write_bytes(signed[LTA].replace(b"(Notice 1)", b"(Notice 7)"))
    said = asked(judges, "changed", "validate", "--no-revocation-check", "--pretty-print")
    assert "The signature is judged VALID." not in said


@pytest.mark.service
def test_pdfsig_validates_each_level_by_each_key(judges: dict[str, str]) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("no pdfsig (Debian: poppler-utils)")
    said = {
        name: subprocess.run(
            ["pdfsig", "-nocert", f"{judges['folder']}/{name}.pdf"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.count("Signature is Valid")
        for name in IDS
    }
    # it has no way to judge a time-stamp of a document, and says so
    assert said == dict.fromkeys(IDS, 1)
