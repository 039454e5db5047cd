"""Our e-certificates before ofdrw, which nobody here wrote: accepted, what was changed is not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.fakes.ecertificate_office import open_office
from tests.fakes.ofd import pack
from tests.services.ofdrw import Unavailable, opinions

pytestmark = pytest.mark.service


def test_ofdrw_accepts_our_ecertificates_and_refuses_them_when_changed(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    try:
        file = office.file(office.issue(office.template()))
    finally:
        office.world.spine.close()
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    page = "Doc_0/Pages/Page_0/Content.xml"
    assert "欧阳春晖".encode() in files[page]
    changed = {**files, page: files[page].replace("欧阳春晖".encode(), "欧阳春暖".encode())}
    (tmp_path / "one.ofd").write_bytes(file)
    (tmp_path / "changed.ofd").write_bytes(pack(changed))
    try:
        found = opinions([tmp_path / "one.ofd", tmp_path / "changed.ofd"])
    except Unavailable as missing:
        pytest.skip(str(missing))
    assert [answer[:2] for answer in found] == ["ok", "no"]
