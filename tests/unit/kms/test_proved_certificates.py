"""What was proved of a certificate is not computed again, and proves nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from secops.crypto import certificates
from secops.crypto.certificates import read_certificate, verify_issued_by
from secops.crypto.errors import InvalidSignature
from tests.fakes.sealing import issue, mint, new_mint


def test_a_certificate_is_proved_for_its_own_bytes_and_issuer_alone() -> None:
    ours, others = mint(), new_mint()
    signer, root = read_certificate(ours.signer), read_certificate(ours.root)
    for _ in range(2):
        verify_issued_by(signer, root)
    changed = bytearray(ours.signer)
    changed[-1] ^= 1
    for certificate, issuer in (
        (signer, read_certificate(others.root)),
        (read_certificate(others.signer), root),
        (read_certificate(bytes(changed)), root),
    ):
        with pytest.raises(InvalidSignature):
            verify_issued_by(certificate, issuer)


def test_no_more_is_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_MAX_PROVED", 2)
    monkeypatch.setattr(certificates, "_PROVED", set())
    made = mint()
    root = read_certificate(made.root)
    for number in range(5):
        signer = issue(
            "signer", made.signer_key, made.root_key, common_name=f"{number}", issuer=made.root
        )
        verify_issued_by(read_certificate(signer), root)
        assert len(certificates._PROVED) <= 2


def test_a_key_of_another_algorithm_is_never_proved() -> None:
    made = mint()
    root = replace(read_certificate(made.root), key_algorithm="ed25519", spki=b"\x30\x00")
    with pytest.raises(InvalidSignature):
        verify_issued_by(read_certificate(made.signer), root)
