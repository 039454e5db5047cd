"""Making and using: what openssl says of it, and what happens when something is wrong inside."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from kms.adapters.pictures import PillowPainter
from kms.core.gbt38540.reading import read_signature
from kms.core.x690 import read_der
from kms.errors.seals import SealNotUsable, SealRejected, SealStateConflict
from kms.models.seal_registry import FormatVersion, SealRequest
from kms.service.authority import MAKER_KEY
from kms.service.seals import verifying
from kms.service.seals.applications import subject_hash
from secops.crypto.sm2 import PrivateKey
from secops.kernel.errors import Invalid, TooLarge, TooMany
from secops.kernel.pages import PageRequest
from tests.fakes.seal_registry import APPLICANT, AUDITOR, HOLDER, SECURITY, World, build
from tests.fakes.sealing import DOCUMENT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.spine.close()


def approved(world: World) -> str:
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    application = world.applications.apply_seal(APPLICANT, request)
    world.applications.decide_application(SECURITY, application.id, grant=True, reason="可")
    return application.id


def test_a_seal_that_does_not_verify_is_not_kept(world: World) -> None:
    world.make()
    world.keys.keys[MAKER_KEY] = PrivateKey.generate()
    with pytest.raises(SealRejected, match="seal_signature"):
        world.making.make_seal(SECURITY, approved(world))
    assert len(world.registry.list_seals(AUDITOR, PageRequest()).items) == 1


def test_a_value_that_does_not_verify_is_not_given_out(world: World) -> None:
    seal = world.make()
    name = next(name for name in world.keys.keys if name.startswith("seal-sap_"))
    world.keys.keys[name] = PrivateKey.generate()
    with pytest.raises(SealRejected, match="signature"):
        world.use(seal)
    assert list(world.using.list_uses(AUDITOR, seal.id, PageRequest()).items) == []


def test_a_key_that_has_a_certificate_already_makes_no_second_seal(world: World) -> None:
    world.make()
    application_id = approved(world)
    issuers = world.parts.authority.ensure_issuers(SECURITY)
    application = world.parts.parts.transactions.read(
        lambda tx: world.applications.load(tx, SECURITY, application_id)
    )
    early = world.making._signer(application, 0, issuers)
    world.parts.parts.transactions.run(lambda tx: world.parts.authority.keep(tx, early, SECURITY))
    with pytest.raises(SealStateConflict):
        world.making.make_seal(SECURITY, application_id)
    # nothing of it was kept: the approval can still be used
    pairs = world.applications.list_applications(SECURITY, PageRequest()).items
    assert [approval.state for _, approval in pairs] == ["approved", "used"]


def test_a_suspension_by_the_emergency_way_stops_the_seal_before_the_table_says_so(
    world: World,
) -> None:
    seal = world.make()
    parts = world.parts.parts
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "seal", seal.id))
    world.clock.advance(1)
    with pytest.raises(SealNotUsable, match="suspended"):
        world.use(seal)
    world.registry.resume_seal(SECURITY, seal.id, "核实无误")
    world.clock.advance(1)
    assert world.use(seal).use.seal_id == seal.id
    with pytest.raises(SealStateConflict):
        world.registry.resume_seal(SECURITY, seal.id, "再次")


def test_a_lost_root_file_is_written_again(world: World, tmp_path: Path) -> None:
    world.make()
    root = tmp_path / "ca" / "root.pem"
    kept = root.read_bytes()
    root.unlink()
    world.make(name="临江县财政局")
    assert root.read_bytes() == kept


def test_a_holder_whose_certificate_is_revoked_seals_nothing(world: World) -> None:
    seal = world.make("zhou", "wu")
    holder = next(
        each
        for each in world.registry.show_seal(AUDITOR, seal.id).holders
        if each.account_id == "zhou"
    )
    store = world.parts.authority.store
    world.parts.parts.transactions.run(lambda tx: store.revoke(tx, holder.certificate_id))
    with pytest.raises(SealNotUsable, match="revoked"):
        world.use(seal)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb"])
def test_a_suspension_needs_a_reason(world: World, reason: str) -> None:
    seal = world.make()
    with pytest.raises(Invalid):
        world.registry.suspend_seal(SECURITY, seal.id, reason)
    assert world.use(seal).use.seal_id == seal.id


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_only_an_sm3_digest_is_sealed(world: World, digest: bytes) -> None:
    seal = world.make()
    with pytest.raises(Invalid):
        world.using.use_seal(HOLDER, seal.id, document_digest=digest, purpose="")


def test_more_than_a_few_verifications_at_a_time_are_told_to_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = world.use(world.make())
    monkeypatch.setattr(verifying, "_PATIENCE", 0.01)
    for _ in range(4):
        world.verification._places.acquire()
    with pytest.raises(TooMany):
        world.verification.verify_seal(sealed.value, DOCUMENT)
    world.verification._places.release()
    for _ in range(5):
        assert world.verification.verify_seal(sealed.value, DOCUMENT).valid


def test_an_address_verifies_twenty_files_a_minute_by_all_doors_together(world: World) -> None:
    value = world.use(world.make()).value
    for _ in range(20):
        world.verification.verify_seal(value, DOCUMENT, caller="192.0.2.1")
    with pytest.raises(TooMany):
        world.verification.verify_seal(value, DOCUMENT, caller="192.0.2.1")
    assert world.verification.verify_seal(value, DOCUMENT, caller="192.0.2.2").valid


def test_a_file_above_the_limit_is_not_judged(world: World) -> None:
    with pytest.raises(TooLarge):
        world.verification.verify_seal(DOCUMENT, bytes((20 << 20) + 1))


@pytest.mark.usefixtures("openssl_command")
def test_openssl_accepts_our_certificates_and_our_signature(world: World, tmp_path: Path) -> None:
    sealed = world.use(world.make())
    root = read_der(sealed.value)
    fields = root.children
    (tmp_path / "tbs").write_bytes(fields[0].raw)
    (tmp_path / "signature").write_bytes(fields[3].content[1:])
    value = read_signature(root)
    for name, encoded in (
        ("signer", value.signer_certificate),
        ("maker", value.seal.maker_certificate),
    ):
        (tmp_path / f"{name}.der").write_bytes(encoded)
        run(
            "openssl",
            "x509",
            "-inform",
            "DER",
            "-in",
            f"{name}.der",
            "-out",
            f"{name}.pem",
            cwd=tmp_path,
        )
        done = run(
            "openssl",
            "verify",
            "-vfyopt",
            "distid:1234567812345678",
            "-CAfile",
            "ca/root.pem",
            "-attime",
            str(world.clock.now() // 1_000_000),
            f"{name}.pem",
            cwd=tmp_path,
        )
        assert done == f"{name}.pem: OK\n"
    run(
        "openssl",
        "x509",
        "-in",
        "signer.pem",
        "-pubkey",
        "-noout",
        "-out",
        "public.pem",
        cwd=tmp_path,
    )
    done = run(
        "openssl",
        "dgst",
        "-sm3",
        "-sigopt",
        "distid:1234567812345678",
        "-verify",
        "public.pem",
        "-signature",
        "signature",
        "tbs",
        cwd=tmp_path,
    )
    assert done == "Verified OK\n"


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.skipif(
    not Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc").exists(),
    reason="fonts-wqy-microhei is not installed",
)
def test_a_seal_with_its_drawn_picture_verifies(tmp_path: Path) -> None:
    world = build(tmp_path, PillowPainter())
    seal = world.make()
    details = world.registry.show_seal(AUDITOR, seal.id)
    assert details.picture.startswith(b"\x89PNG")
    assert [holder.name for holder in details.holders] == ["zhou"]
    assert world.verification.verify_seal(details.content, None).valid
    world.spine.close()


@pytest.mark.parametrize("version", [4, 5])
def test_a_seal_is_made_and_used_in_the_format_that_was_approved(
    world: World, version: FormatVersion
) -> None:
    seal = world.make(version=version)
    assert seal.format_version == version
    report = world.verification.verify_seal(world.use(seal).value, DOCUMENT)
    assert (report.valid, report.version) == (True, version)


def test_no_seal_of_another_format_is_applied_for(world: World) -> None:
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印", cast("Any", 1))
    with pytest.raises(Invalid, match="format"):
        world.applications.apply_seal(APPLICANT, request)


def test_an_approval_is_bound_to_the_format(world: World) -> None:
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    old = world.applications.apply_seal(APPLICANT, request)
    assert subject_hash(replace(old, format_version=5)) != old.subject_hash
