"""What GnuPG itself, on the partner's side, says of our exports; and which keys we refuse."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms.adapters import openpgp as adapter
from kms.adapters.openpgp import GnuPg
from kms.errors.openpgp import OpenPgpUnavailable, PartnerKeyRejected
from kms.models.openpgp import MAX_PARTNER_KEY, OpenPgpSecret
from secops.kernel.errors import SecopsError

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(shutil.which("gpg") is None, reason="gnupg is not installed"),
]
PASSPHRASE = "canary-7f3a-passphrase"
CONTENT = "审计报告\n".encode() * 100


@dataclass
class Keyring:
    """A partner's own gpg."""

    home: str

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["gpg", "--homedir", self.home, "--batch", "--status-fd", "2", *arguments],
            input=stdin,
            capture_output=True,
            check=False,
        )

    def generate(self, *kinds: str) -> None:
        for kind in kinds:
            made = self.run("--passphrase", "", "--quick-gen-key", *kind.split("|"))
            assert made.returncode == 0, made.stderr

    def public(self) -> bytes:
        return self.run("--armor", "--export").stdout


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    # short: the agent's socket lies inside
    home = tempfile.mkdtemp(prefix="gpg-judge-")
    yield Keyring(home)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def own() -> tuple[str, str, OpenPgpSecret]:
    identity, public, secret = GnuPg().make_key(
        "临江县数据局", "data@linjiang.gov.cn", "ed25519", PASSPHRASE
    )
    return identity.fingerprint, public, secret


def test_the_partner_reads_the_export_and_knows_who_signed_it(
    keyring: Keyring, own: tuple[str, str, OpenPgpSecret]
) -> None:
    fingerprint, public, secret = own
    keyring.generate("Audit <a@audit.example>|default|default|1y")
    identity = GnuPg().read_public_key(keyring.public())
    assert (identity.user_id, identity.algorithm) == ("Audit <a@audit.example>", "RSA-3072")
    message = GnuPg().protect(CONTENT, secret, [keyring.public().decode()])
    assert CONTENT[:20] not in message
    keyring.run("--import", stdin=public.encode())
    read = keyring.run("--decrypt", stdin=message)
    assert read.stdout == CONTENT
    said = read.stderr.decode()
    assert f"VALIDSIG {fingerprint}" in said
    assert "DECRYPTION_OKAY" in said
    # AES-256 (9), signed with SHA-512 (10)
    assert "DECRYPTION_INFO 2 9" in said or "DECRYPTION_INFO 0 9" in said
    changed = bytearray(message)
    changed[-30] ^= 1
    assert "DECRYPTION_OKAY" not in keyring.run("--decrypt", stdin=bytes(changed)).stderr.decode()


def test_a_detached_signature_verifies_and_a_changed_file_does_not(
    keyring: Keyring, own: tuple[str, str, OpenPgpSecret], tmp_path: Path
) -> None:
    fingerprint, public, secret = own
    signature, document = tmp_path / "s.asc", tmp_path / "report.pdf"
    signature.write_bytes(GnuPg().sign(CONTENT, secret))
    document.write_bytes(CONTENT)
    keyring.run("--import", stdin=public.encode())
    verified = keyring.run("--verify", str(signature), str(document))
    assert verified.returncode == 0
    assert f"VALIDSIG {fingerprint}" in verified.stderr.decode()
    document.write_bytes(CONTENT + b".")
    assert keyring.run("--verify", str(signature), str(document)).returncode == 1


def test_a_stranger_reads_nothing(keyring: Keyring, own: tuple[str, str, OpenPgpSecret]) -> None:
    keyring.generate("Audit <a@audit.example>|default|default|1y")
    public = keyring.public().decode()
    for line in keyring.run("--list-secret-keys", "--with-colons").stdout.decode().splitlines():
        if line.startswith("fpr:"):
            keyring.run("--yes", "--delete-secret-keys", line.split(":")[9])
    message = GnuPg().protect(CONTENT, own[2], [public])
    assert "NO_SECKEY" in keyring.run("--decrypt", stdin=message).stderr.decode()


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        (("A <a@a.example>|ed25519|sign|1y",), "can't encrypt"),
        (("A <a@a.example>|rsa1024|default|1y",), "weak"),
        (("A <a@a.example>|dsa2048|default|1y",), "weak"),
        (("A <a@a.example>|default|default|1y", "B <b@b.example>|default|default|1y"), "one"),
    ],
    ids=["signs only", "RSA of 1,024 bits", "DSA", "two keys"],
)
def test_a_key_that_is_unfit_is_refused(keyring: Keyring, kinds: tuple[str, ...], why: str) -> None:
    keyring.generate(*kinds)
    with pytest.raises(PartnerKeyRejected, match=why):
        GnuPg().read_public_key(keyring.public())


def test_an_expired_key_is_refused(keyring: Keyring) -> None:
    made = keyring.run(
        "--faked-system-time",
        "20200101T000000!",
        "--passphrase",
        "",
        "--quick-gen-key",
        "A <a@a.example>",
        "default",
        "default",
        "1y",
    )
    assert made.returncode == 0, made.stderr
    with pytest.raises(PartnerKeyRejected, match="expired"):
        GnuPg().read_public_key(keyring.public())


def test_a_secret_key_is_refused(own: tuple[str, str, OpenPgpSecret]) -> None:
    with pytest.raises(PartnerKeyRejected, match="secret"):
        GnuPg().read_public_key(own[2].armored.encode())


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", bytes(1000)]
)
def test_what_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(PartnerKeyRejected):
        GnuPg().read_public_key(content)


def test_a_key_has_a_limit_of_size() -> None:
    with pytest.raises(PartnerKeyRejected, match="bytes"):
        GnuPg().read_public_key(bytes(MAX_PARTNER_KEY + 1))


def test_neither_home_nor_agent_nor_passphrase_is_left_behind(
    own: tuple[str, str, OpenPgpSecret],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path_factory.mktemp("g")  # an agent's socket has a path of 107 characters
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    GnuPg().sign(CONTENT, own[2])
    assert list(scratch.iterdir()) == []
    running = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, check=True)
    assert str(scratch).encode() not in running.stdout
    assert PASSPHRASE.encode() not in running.stdout


def test_a_gpg_that_hangs_is_ended_and_the_answer_is_unavailable(
    own: tuple[str, str, OpenPgpSecret], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("gpg")
    slow = tmp_path / "gpg"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *detach-sign*) exec sleep 600;; *) exec {real} "$@";; esac\n'
    )
    slow.chmod(0o755)
    monkeypatch.setattr(adapter, "_PATIENCE", 1.0)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(SecopsError) as raised:
        GnuPg().sign(CONTENT, own[2])
    assert raised.type is OpenPgpUnavailable
