"""Revocation lists: what the built-in CA publishes, and what is believed of one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms.adapters.anchor_files import HomeAnchorFile
from kms.adapters.pdf import PyHankoFiles
from kms.api.authority import routes
from kms.core.rfc5280 import writing as x509
from kms.core.rfc5280.reading import verify_revocation_list
from kms.core.x690 import DerError, read_der
from kms.core.x690 import writing as der
from kms.errors.seals import RevocationListRejected
from kms.service.published_lists import PublishedLists
from kms.service.seals import SealFiles
from secops.crypto.certificates import read_certificate
from secops.crypto.der import encode
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import NotFound
from secops.web.messages import Request
from tests.fakes.clock import START
from tests.fakes.seal_registry import AUDITOR, DOCUMENT, SECURITY, World, build
from tests.fakes.sealing import mint, new_mint


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.spine.close()


def revocation_list(
    key: PrivateKey | None = None, issuer: bytes | None = None, *, tbs: bytes | None = None
) -> bytes:
    root = read_certificate(mint().root)
    content = x509.RevocationListContent(
        issuer=issuer or root.subject,
        issuer_spki=root.spki,
        number=1,
        this_update=START,
        next_update=START + DAY,
        revoked=[(7, START), (2**100, START + SECOND)],
    )
    signed = x509.revocation_list_to_sign(content) if tbs is None else tbs
    return x509.revocation_list(signed, (key or mint().root_key).sign(signed))


def changed(place: int, new: bytes) -> bytes:
    """Return a soundly signed list with one field of its TBS replaced."""
    fields = [field.raw for field in read_der(revocation_list()).children[0].children]
    fields[place] = new
    return revocation_list(tbs=der.sequence(*fields))


def test_a_list_of_an_anchor_is_believed() -> None:
    found = verify_revocation_list(revocation_list(), mint().anchors)
    assert found.revoked == {7: START, 2**100: START + SECOND}
    assert (found.this_update, found.next_update) == (START, START + DAY)


EXTENSION = der.sequence(der.oid("1.2.3"), der.TRUE, der.octets(b""))
ENTRY = der.sequence(der.integer(7), der.generalized_time(START), der.sequence(EXTENSION))


@pytest.mark.parametrize(
    "encoded",
    [
        revocation_list(PrivateKey.generate()),
        revocation_list(issuer=read_certificate(mint().maker).subject),
        revocation_list()[:-1],
        revocation_list() + b"\x00",
        b"\x30\x00",
        changed(0, der.integer(0)),
        changed(1, der.sequence(der.oid("1.2.840.10045.4.3.2"))),
        changed(3, der.octets(b"x")),
        changed(5, der.sequence(ENTRY)),
        changed(6, der.explicit(0, der.sequence(EXTENSION))),
        changed(6, der.explicit(0, b"")),
    ],
)
def test_a_list_that_proves_nothing_is_refused(encoded: bytes) -> None:
    with pytest.raises(DerError):
        verify_revocation_list(encoded, mint().anchors)


def test_a_list_signed_with_another_algorithm_is_refused() -> None:
    fields = read_der(revocation_list()).children
    other = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    tbs = der.sequence(
        *(other if place == 1 else each.raw for place, each in enumerate(fields[0].children))
    )
    encoded = der.sequence(tbs, other, fields[2].raw)
    with pytest.raises(DerError, match="signed the list"):
        verify_revocation_list(encoded, mint().anchors)


def test_a_short_list_is_refused() -> None:
    tbs = der.sequence(der.integer(1))
    with pytest.raises(DerError):
        verify_revocation_list(revocation_list(tbs=tbs), mint().anchors)


def test_a_key_that_may_not_sign_lists_is_not_asked() -> None:
    maker = read_certificate(mint().maker)
    encoded = revocation_list(mint().maker_key, maker.subject)
    with pytest.raises(DerError):
        verify_revocation_list(encoded, [maker])
    assert encode(0x30, b"") != encoded


def test_a_revoked_holder_is_in_the_list_and_over_files_alone_in_the_verdict(
    world: World, tmp_path: Path
) -> None:
    seal = world.make()
    before = world.use(seal).value
    world.clock.advance(3_600)
    store, parts = world.parts.authority.store, world.parts.parts
    holder = world.registry.show_seal(AUDITOR, seal.id).holders[0]
    lists = PublishedLists(world.parts.authority)
    old = lists.revocation_list()
    assert lists.revocation_list() is old
    parts.transactions.run(lambda tx: store.revoke(tx, holder.certificate_id))
    world.clock.advance(301)
    new = lists.revocation_list()
    assert new != old
    files = SealFiles(world.clock, HomeAnchorFile(tmp_path), PyHankoFiles())
    for encoded, warned in ((old, False), (new, True)):
        report = files.verify_seal(before, DOCUMENT, [], [encoded])
        found = {step.what: step.ok for step in report.signatures[0].steps}
        assert found["revocation"] is True
        assert any("was revoked" in w.en for w in report.signatures[0].warnings) is warned


def test_a_seal_used_after_its_revocation_is_refused_over_files_alone(
    world: World, tmp_path: Path
) -> None:
    seal = world.make()
    world.clock.advance(60)
    value = world.use(seal).value
    world.clock.advance(-30)
    world.registry.revoke_seal(SECURITY, seal.id, "撤销")
    world.clock.advance(60)
    crl = PublishedLists(world.parts.authority).revocation_list()
    report = SealFiles(world.clock, HomeAnchorFile(tmp_path), PyHankoFiles()).verify_seal(
        value, DOCUMENT, [], [crl]
    )
    assert {step.what: step.ok for step in report.signatures[0].steps}["revocation"] is False
    assert not report.valid


@pytest.mark.parametrize("days", [-1, 2])
def test_a_list_out_of_its_time_is_refused(world: World, tmp_path: Path, days: int) -> None:
    sealed = world.use(world.make())
    crl = PublishedLists(world.parts.authority).revocation_list()
    world.clock.advance(days * 86_400)
    files = SealFiles(world.clock, HomeAnchorFile(tmp_path), PyHankoFiles())
    with pytest.raises(RevocationListRejected):
        files.verify_seal(sealed.value, DOCUMENT, [], [crl])


def test_a_strangers_list_is_refused(world: World, tmp_path: Path) -> None:
    sealed = world.use(world.make())
    files = SealFiles(world.clock, HomeAnchorFile(tmp_path), PyHankoFiles())
    with pytest.raises(RevocationListRejected):
        files.verify_seal(sealed.value, DOCUMENT, [], [revocation_list(new_mint().root_key)])


@pytest.mark.usefixtures("openssl_command")
def test_the_authority_publishes_its_root_and_its_list(world: World, tmp_path: Path) -> None:
    services: Any = SimpleNamespace(published_lists=PublishedLists(world.parts.authority))
    root, crl = [route for route in routes(services) if "<name>" in route.path]
    for route in (root, crl):
        with pytest.raises(NotFound):
            route.handler(Request("GET", route.path, args={"name": "root"}))
        with pytest.raises(NotFound):
            route.handler(Request("GET", route.path, args={"name": "other"}))
    seal = world.make()
    world.registry.revoke_seal(SECURITY, seal.id, "撤销")
    answers = [
        route.handler(Request("GET", route.path, args={"name": "root"})) for route in (root, crl)
    ]
    assert [answer.header("content-type") for answer in answers] == [
        "application/pkix-cert",
        "application/pkix-crl",
    ]
    (tmp_path / "root.crl").write_bytes(answers[1].body)
    (tmp_path / "root.crt").write_bytes(answers[0].body)
    signer = world.parts.parts.transactions.read(world.parts.authority.store.revoked)[0]
    shown = openssl(tmp_path, "crl", "-inform", "DER", "-in", "root.crl", "-noout", "-text")
    assert f"Serial Number: {signer.serial.zfill(32).upper()}" in shown
    # `openssl verify -crl_check` takes the empty user id for lists, so the parts are checked
    fields = read_der(answers[1].body).children
    (tmp_path / "tbs").write_bytes(fields[0].raw)
    (tmp_path / "signature").write_bytes(fields[2].content[1:])
    into = ("-inform", "DER", "-in", "root.crt", "-noout", "-pubkey", "-out", "root.pub")
    openssl(tmp_path, "x509", *into)
    sm2_check = ("-sm3", "-sigopt", "distid:1234567812345678", "-verify", "root.pub")
    assert "Verified OK" in openssl(tmp_path, "dgst", *sm2_check, "-signature", "signature", "tbs")


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
