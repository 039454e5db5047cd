"""Our SM2 tokens before gmsm, which nobody here wrote: accepted, and what was changed is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms.core.rfc5652.reading import read_signed_data
from secops.crypto.hashes import digest, sm3
from secops.kernel.clock import SECOND
from tests.fakes.clock import START
from tests.fakes.time_stamping import StampingSite
from tests.services.gmsm import opinions
from tests.services.go_judges import Unavailable

pytestmark = pytest.mark.service


def test_gmsm_accepts_our_tokens_and_refuses_them_when_changed(tmp_path: Path) -> None:
    site = StampingSite()
    token = site.stamps.stamp("sm3", digest("sm3", b"message"))
    data = read_signed_data(token)
    content, signature = data.content or b"", data.signers[0].signature
    cases = {
        "sound": token,
        "of another time": token.replace(b"20260101000000Z", b"20260101000001Z"),
        "of another value": token.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1])),
    }
    for name, changed in cases.items():
        (tmp_path / name).write_bytes(changed)
    (tmp_path / "own").write_bytes(site.anchor_file.roots[0])
    (tmp_path / "other").write_bytes(stranger())
    files = [tmp_path / name for name in cases]
    try:
        found = opinions(tmp_path / "own", START // SECOND + 60, files)
        strange = opinions(tmp_path / "other", START // SECOND + 60, files[:1])
    except Unavailable as missing:
        pytest.skip(f"gmsm: {missing}")
    assert found[0] == f"ok {sm3(content).hex()}"
    assert [each[:3] for each in (*found[1:], *strange)] == ["no "] * 3


def stranger() -> bytes:
    """Return the root of another house."""
    other = StampingSite()
    other.stamps.stamp("sm3", digest("sm3", b"x"))
    return other.anchor_file.roots[0]
