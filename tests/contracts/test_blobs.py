"""Blobs, in memory and in files."""

from __future__ import annotations

import hashlib

import pytest

from secops.kernel.errors import NotFound
from tests.contracts.conftest import Kit


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 100_000])
def test_a_blob_is_found_by_its_digest(kit: Kit, content: bytes) -> None:
    name = kit.parts.blobs.put(content)
    assert name == hashlib.sha256(content).hexdigest()
    assert kit.parts.blobs.get(name) == content
    assert kit.parts.blobs.put(content) == name


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_no_blob_is_not_found(kit: Kit, name: str) -> None:
    with pytest.raises(NotFound):
        kit.parts.blobs.get(name)


def test_a_dropped_blob_is_gone_and_can_come_again(kit: Kit) -> None:
    blobs = kit.parts.blobs
    name, other = blobs.put(b"old"), blobs.put(b"stays")
    assert (blobs.drop(name), blobs.drop(name), blobs.drop("../x")) == (True, False, False)
    with pytest.raises(NotFound):
        blobs.get(name)
    assert blobs.get(other) == b"stays"
    assert blobs.put(b"old") == name
    assert blobs.get(name) == b"old"
