"""The pages of collected configuration: what has a bundle, what has none, what was not read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from audits.models.systems import THIS_INSTANCE
from secops.kernel.actors import ROOT_ORG
from tests.fakes.bundles import bundle
from tests.fakes.collected_hosts import DEBIAN_12
from tests.fakes.console_site import ConsoleSite, Reader
from tests.fakes.playbooks_house import person

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def assets(console: ConsoleSite) -> Mapping[str, str]:
    """Register a host that gets a bundle and one that gets none."""
    house = console.site.house
    keeper = replace(
        person("keeper", "system-admin", ROOT_ORG), level=3, auth_time=house.parts.clock.now()
    )
    add = house.audits.register.assets.add_asset
    names = {"page-host": "10.9.8.7", "=bare-host": "10.9.8.8"}
    kind = "服务器与终端"
    return {
        name: add(keeper, THIS_INSTANCE, {"name": name, "kind": kind, "address": address}).id
        for name, address in names.items()
    }


def content(console: ConsoleSite, texts: dict[str, str], **meta: str) -> bytes:
    finished = console.site.house.parts.clock.now() // 1_000_000 - 2 * 86_400
    return bundle(texts, finished=str(finished), host="page-host", **meta)


def upload(reader: Reader, file: bytes, **fields: str) -> tuple[int, str]:
    answer = reader.upload(
        "/collectors", {"system": "this", "asset": "", **fields}, {"bundle": file}
    )
    return answer.status, answer.headers.get("location", "")


def test_a_bundle_is_uploaded_and_read_on_its_page(
    console: ConsoleSite, assets: Mapping[str, str]
) -> None:
    keeper, auditor = console.reader("system-admin"), console.reader("auditor")
    texts = {**DEBIAN_12, "session.timeout": f"TMOUT=600 # {EVIL}\n"}
    status, here = upload(keeper, content(console, texts, uid="1000"))
    assert status == 303
    page = auditor.get(here)
    assert page.status == 200
    for shown in ("page-host", "host.pam", "failures", "rsyslog.conf", "非 root"):
        assert shown in page.text
    raw = auditor.get(f"{here}?section=session.timeout").text
    assert "&lt;script&gt;" in raw
    assert EVIL not in raw
    assert auditor.get(f"{here}?section=none").status == 404
    table = auditor.get("/collectors").text
    assert "page-host" in table
    assert "没有采集包" in table
    assert re.search(r'class="badge good">2<', table)
    assert here in auditor.get("/collectors/bundles").text
    assert here in auditor.get(f"/collectors/bundles?asset={assets['page-host']}").text
    assert here not in auditor.get(f"/collectors/bundles?asset={assets['=bare-host']}").text


def test_names_are_harmless_in_the_exported_table(
    console: ConsoleSite, assets: Mapping[str, str]
) -> None:
    assert assets
    exported = console.reader("auditor").get("/collectors?format=csv").text
    assert "'=bare-host" in exported


def test_who_may_only_read_sees_no_form_and_others_see_nothing(
    console: ConsoleSite, assets: Mapping[str, str]
) -> None:
    assert assets
    auditor, staff = console.reader("auditor"), console.reader("staff")
    assert 'type="file"' not in auditor.get("/collectors").text
    assert upload(auditor, content(console, {}))[0] == 403
    assert [staff.get(path).status for path in ("/collectors", "/collectors/bundles")] == [403, 403]


@pytest.mark.parametrize("file", [b"", b"PK\x03\x04rubbish", b"\x1f\x8b" + b"\0" * 50])
def test_a_file_that_is_no_bundle_is_refused_with_the_reason(
    console: ConsoleSite, file: bytes
) -> None:
    assert upload(console.reader("system-admin"), file)[0] == 400
