"""Who signs playbooks: the pool's key behind its bridge, and the tests' own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.models.signatures import TrustedKey
from playbooks.ports.signatures import PlaybookSignatures
from secops.bridges import notices
from secops.bridges.playbook_signatures import PoolPlaybookSignatures, partners, read_signers
from secops.crypto.pem import to_pem
from secops.crypto.sm2 import PrivateKey, PublicKey
from secops.kernel.errors import Conflict, Unavailable
from secops.settings import SettingsRejected, read_settings
from tests.fakes.key_pool import WHOLE, open_key_pool
from tests.fakes.playbook_signatures import FakePlaybookSignatures, own_key

PARTNER = own_key("partner")
DIGEST = bytes(range(32))


@pytest.fixture(scope="module", params=["pool", "fake"])
def signer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlaybookSignatures]:
    if request.param == "fake":
        yield FakePlaybookSignatures(PARTNER)
        return
    with open_key_pool(tmp_path_factory.mktemp("pool")) as pool:
        trusted = TrustedKey(PARTNER.public_key.der, "foreign")
        yield PoolPlaybookSignatures(pool.services, (trusted,))


def test_the_first_key_signs_and_the_partners_come_after(signer: PlaybookSignatures) -> None:
    ours, *others = signer.keys()
    assert ours.origin == "own"
    assert [key.origin for key in others] == ["foreign"]
    made = signer.sign(ours, DIGEST)
    PublicKey(ours.der).verify(made, DIGEST, b"1234567812345678")


def test_nothing_is_signed_by_a_key_that_is_not_ours(signer: PlaybookSignatures) -> None:
    for key in (signer.keys()[-1], TrustedKey(PrivateKey.generate().public_key.der)):
        with pytest.raises(Conflict):
            signer.sign(key, DIGEST)


def test_a_locked_pool_says_that_it_can_not_tell(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        signer = PoolPlaybookSignatures(pool.services)
        (key,) = signer.keys()
        pool.services.pool.lock(WHOLE)
        later = PoolPlaybookSignatures(pool.services)
        for ask in (later.keys, lambda: later.sign(key, DIGEST)):
            with pytest.raises(Unavailable):
                ask()


def test_partners_keys_are_read_from_a_file_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "partners.pem"
    der = PARTNER.public_key.der
    file.write_text("# 省数据局\n" + to_pem("PUBLIC KEY", der) * 2)
    assert read_signers(file) == (TrustedKey(der, "foreign"),) * 2
    for wrong in ("", to_pem("PUBLIC KEY", b"x" * 91), "x" * 70_000 + to_pem("PUBLIC KEY", der)):
        file.write_text(wrong)
        with pytest.raises(SettingsRejected):
            read_signers(file)
    with pytest.raises(SettingsRejected):
        read_signers(tmp_path / "absent.pem")


def test_the_settings_say_whose_playbooks_are_taken_and_whether_drafts_run(
    tmp_path: Path,
) -> None:
    plain = read_settings(tmp_path, {})
    assert partners(plain) == ()
    assert notices.options(plain).unsigned_playbooks == "refused"
    text = base64.b64encode(PARTNER.public_key.der).decode()
    block = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    (tmp_path / "partners.pem").write_text(block)
    told = {"SECOPS_PLAYBOOK_SIGNERS": "partners.pem"}
    told |= {"SECOPS_UNSIGNED_PLAYBOOKS": "with_approval"}
    settings = read_settings(tmp_path, told)
    assert [key.origin for key in partners(settings)] == ["foreign"]
    assert notices.options(settings).unsigned_playbooks == "with_approval"
    with pytest.raises(SettingsRejected):
        read_settings(tmp_path, {"SECOPS_UNSIGNED_PLAYBOOKS": "always"})
