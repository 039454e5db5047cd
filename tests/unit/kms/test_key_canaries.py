"""Root key, key material, shares and passphrases are found in no file, log, error or backup."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from kms.core.shamir.scheme import interpolate
from kms.core.shamir.shares import read_share
from secops.adapters.backup.service import Place
from secops.adapters.backup.service import back_up as write_backup
from secops.kernel.errors import SecopsError
from secops.kernel.ids import SystemRandomness
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import PASSPHRASE, USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService
from tests.unit.kms.test_key_pool import another_process
from tests.unit.kms.test_unlocking import ASKS, OPENING, SOMEBODY, cut

WRONG = "canary-of-a-wrong-passphrase"
HELLO = "aGVsbG8="


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=FakeClock()) as opened:
        yield opened


def forms(secret: bytes) -> set[bytes]:
    """The ways in which bytes may stand somewhere."""
    return {
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        base64.b32encode(secret).rstrip(b"="),
        repr(secret).encode(),
    }


def root_of(pool: KeyPool) -> bytes:
    root = pool.services.pool._custody._root  # type: ignore[attr-defined]  # the software's
    return bytes(root)


def materials(pool: KeyPool) -> list[bytes]:
    ring = pool.services.transit._ring
    found = []
    for name in ("box", "tag", "pair"):
        loaded = ring.usable(USER.org_id, name, mount="transit")
        found.append(ring.material(loaded, 1))
    # a private key's own number, without the form around it
    return [*found, found[-1][-32:]]


def told_by_errors(pool: KeyPool, shares: list[str]) -> list[str]:
    """Whatever comes back of attempts that go wrong, with their tracebacks."""
    service = VaultService(pool)
    told = []
    bad = shares[0][:-1] + ("A" if shares[0][-1] != "A" else "B")
    attempts = [
        ("POST", "/v1/sys/unseal", {"key": WRONG}, ""),
        ("POST", "/v1/sys/unseal", {"key": bad}, ""),
        ("POST", "/v1/sys/unseal", {"key": shares[0]}, ""),
        ("POST", "/v1/sys/unseal", {"key": [shares[0]]}, ""),
        ("POST", "/v1/sys/unseal", {"key": shares[0] * 9}, ""),
        ("POST", "/v1/transit/decrypt/box", {"ciphertext": "vault:v1:AAAA"}, "user"),
        ("GET", "/v1/transit/export/encryption-key/box", None, "user"),
        ("POST", f"/v1/transit/hmac/{shares[1]}", {"input": HELLO}, "user"),
    ]
    for method, path, body, token in attempts:
        told.append(repr(service.call(method, path, body, token=token)))
    process = another_process(pool)
    for text in (WRONG, bad, PASSPHRASE):
        try:
            process.unlocking.unlock_pool(SOMEBODY, text)
        except SecopsError:
            told.append(traceback.format_exc())
    return told


def test_nothing_secret_is_found_anywhere(
    pool: KeyPool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        pool.create("box", "aes256-gcm96", USER)
        pool.create("tag", "hmac", USER)
        pool.create("pair", "ed25519", USER)
        secrets = [root_of(pool), PASSPHRASE.encode(), *materials(pool)]
        before = VaultService(pool)
        before.call("POST", "/v1/sys/unseal", {"key": WRONG}, token="")
        issued = cut(pool)
        texts = [share.text for share in issued]
        points = {read_share(text).index: read_share(text).value for text in texts}
        secrets += [interpolate(dict(list(points.items())[:3])), *points.values()]
        # two of three are given, and wait in the database
        process = another_process(pool)
        told = [repr(issued), repr(process), repr(pool.services), repr(pool.options)]
        told += [repr(process.unlocking.unlock_pool(SOMEBODY, text)) for text in texts[:2]]
        told += told_by_errors(pool, texts)
        told.append(repr(pool.services.rekeying.request_rekey(ASKS, OPENING)))
        told.append(repr(pool.leaves()))
        write_backup(
            Place(pool.spine.parts.home, None),
            tmp_path / "backup.tar",
            clock=pool.spine.parts.clock,
            randomness=SystemRandomness(),
            facts=lambda *_: {},
        )
    printed = capfd.readouterr()
    places = {
        "errors and reprs": "\n".join(told).encode(),
        "log": caplog.text.encode(),
        "stdout": printed.out.encode(),
        "stderr": printed.err.encode(),
        **{str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()},
    }
    needles = {form for secret in secrets for form in forms(secret)} | {WRONG.encode()}
    needles |= {form.encode() for text in texts for form in (text, text.replace("-", ""))}
    found = [
        (needle[:8], place)
        for place, content in places.items()
        for needle in needles
        if needle in content
    ]
    print(f"{len(needles)} forms of {len(secrets)} secrets in {len(places)} places: {len(found)}")
    assert any(place.endswith("backup.tar") for place in places)
    assert found == []
