"""Our sealed OFDs before ofdrw, which nobody here wrote: all accepted, what was changed is not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kms.models.stamps import EdgePlace, Stamping, StampPlace, StampRequest
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.seal_registry import HOLDER, World, build
from tests.services.ofdrw import Unavailable, opinions

pytestmark = pytest.mark.service


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.spine.close()


def changed(content: bytes, path: str, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert old in files[path]
    return pack({**files, path: files[path].replace(old, new)})


def test_ofdrw_accepts_our_documents_and_refuses_them_when_changed(
    world: World, tmp_path: Path
) -> None:
    v4, v5 = world.make().id, world.make(name="临江县财政局", version=5).id

    def stamped(seal_id: str, content: bytes, stamping: Stamping) -> bytes:
        sealing = world.stamping.stamp_document
        return sealing(HOLDER, seal_id, StampRequest(content, stamping, "印发")).document

    plain = Stamping((StampPlace(1, 120, 200),))
    one = stamped(v4, pack(paged_document()), plain)
    edges = Stamping((StampPlace(-1, 120, 200),), EdgePlace(100))
    page = "Doc_0/Pages/Page_1/Content.xml"
    cases = {
        "one.ofd": (one, "ok"),
        "edges.ofd": (stamped(v4, pack(paged_document(15)), edges), "ok"),
        "two-makers-formats.ofd": (stamped(v5, one, Stamping()), "ok"),
        "root.ofd": (stamped(v5, pack(paged_document(folder="")), plain), "ok"),
        "page.ofd": (changed(one, page, b"Layer", b"layer"), "no"),
        "moved.ofd": (changed(one, "Doc_0/Signs/Sign_0/Signature.xml", b"120", b"110"), "no"),
    }
    for name, (content, _) in cases.items():
        (tmp_path / name).write_bytes(content)
    try:
        found = opinions([tmp_path / name for name in cases])
    except Unavailable as missing:
        pytest.skip(str(missing))
    said = {name: answer[:2] for name, answer in zip(cases, found, strict=True)}
    assert said == {name: expected for name, (_, expected) in cases.items()}
