"""A certificate for one purpose is not believed for another: no stranger makes seals with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.verification import verify_seal
from kms.core.rfc5280.purposes import purpose_defect
from kms.core.rfc5280.writing import Name
from kms.core.trust import Trust
from kms.core.x690 import writing as der
from secops.crypto.certificates import read_certificate
from secops.crypto.der import encode
from tests.fakes.ofd import LIST, SIGNATURE, VALUE, listing, pack, signed_document
from tests.fakes.sealing import NOW, Recipe, issue, make_seal, mint
from tests.fakes.signed_data import Style, make_signed_data

TRUST = Trust(NOW, mint().anchors)
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
MAIL = "1.3.6.1.5.5.7.3.4"
DOCUMENTS = "1.3.6.1.5.5.7.3.36"
ANY = "2.5.29.37.0"


def certified(profile: str) -> bytes:
    """Return a certificate of the maker's key as of another profile."""
    made = mint()
    return issue(profile, made.maker_key, made.root_key, common_name="某人", issuer=made.root)


def with_purposes(*purposes: str, marked: bool = True, value: bytes | None = None) -> Any:
    """Return a certificate with these extended key usages, under a test CA or another."""
    found = read_certificate(mint().maker)
    issuer = found.issuer if marked else Name("持牌机构", "", "根").to_der()
    listed = der.sequence(*(der.oid(each) for each in purposes)) if value is None else value
    return replace(found, issuer=issuer, extensions={**found.extensions, "2.5.29.37": listed})


@pytest.mark.parametrize(
    "profile", ["sm2_signing", "tls_client", "tls_server", "time_stamper", "ocsp_responder"]
)
def test_a_seal_that_a_certificate_for_something_else_made_is_not_believed(profile: str) -> None:
    seal = make_seal(Recipe(maker=certified(profile)))
    report = verify_seal(seal, Evidence(), TRUST)
    steps = {step.what: step.ok for step in report.signatures[0].steps}
    assert (report.valid, steps["seal_signature"], steps["seal_maker"]) == (False, True, False)


@pytest.mark.parametrize("profile", ["tls_client", "tls_server"])
def test_a_document_that_a_certificate_for_connections_signed_is_not_believed(
    profile: str,
) -> None:
    made = mint()
    signer = issue(profile, made.signer_key, made.root_key, common_name="某机", issuer=made.root)
    files = signed_document(Recipe())
    value = make_signed_data(Style("A", certificate=signer), files[SIGNATURE])
    files = {
        **files,
        VALUE: value,
        LIST: listing("Doc_0/Signs/Sign_0", attributes=' Type="Sign"'),
    }
    report = verify_ofd(pack(files), TRUST)
    steps = {step.what: step.ok for step in report.signatures[0].steps}
    assert (steps["signature"], steps["chain"]) == (True, False)


@pytest.mark.parametrize(
    ("purposes", "marked", "maker", "fits"),
    [
        ((CLIENT_AUTH,), False, False, False),
        ((CLIENT_AUTH, MAIL), False, False, True),
        ((CLIENT_AUTH, MAIL), False, True, True),
        ((CLIENT_AUTH, MAIL), True, False, True),
        ((CLIENT_AUTH, MAIL), True, True, False),
        ((CLIENT_AUTH, DOCUMENTS), True, True, True),
        ((ANY,), True, True, True),
        ((), False, False, False),
    ],
)
def test_what_a_certificate_is_for_decides_what_it_is_believed_for(
    purposes: Sequence[str], *, marked: bool, maker: bool, fits: bool
) -> None:
    found = with_purposes(*purposes, marked=marked)
    assert (purpose_defect(found, makes_seals=maker) is None) is fits


def test_purposes_that_cannot_be_read_are_none_that_fit() -> None:
    found = with_purposes(value=encode(0x04, b"?"))
    assert purpose_defect(found, makes_seals=False) is not None


def test_a_certificate_that_names_no_purpose_is_for_what_its_key_usage_allows() -> None:
    found = read_certificate(mint().maker)
    assert purpose_defect(found, makes_seals=True) is None
