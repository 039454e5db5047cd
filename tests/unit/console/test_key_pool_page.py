"""The key pool's page: backends, keys, draining by who may."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from kms.models.backends import BackendOptions
from kms.models.shares import Opening
from kms.service.backends.groups import Group
from kms.service.backends.members import Member
from secops.kernel.actors import ROOT_ORG
from tests.fakes.console_site import ConsoleSite
from tests.fakes.key_backend import FakeKeyBackend
from tests.fakes.key_pool import actor


@pytest.fixture
def device(console: ConsoleSite) -> Iterator[FakeKeyBackend]:
    """One token in the demo home's pool, as if it were configured."""
    made = FakeKeyBackend(BackendOptions("token-1", "pkcs11", "east"))
    backends = console.site.house.kms.backend_control._backends
    member = Member(made, console.site.house.parts.clock, backends.note_check)
    before = backends.members, backends.groups
    group = Group("token-1", [member], console.site.house.parts.randomness)
    backends.members, backends.groups = (member,), {"token-1": group}
    yield made
    backends.members, backends.groups = before


def rows(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def test_without_devices_the_page_says_that_all_is_software(console: ConsoleSite) -> None:
    page = console.reader("auditor").get("/key-pool").text
    assert "没有配置密码设备" in page
    assert "已解锁" in page
    assert "demo-sm2" in page


def test_a_change_of_what_opens_the_root_key_leads_to_where_it_is_decided(
    console: ConsoleSite,
) -> None:
    asks = actor("acc_asks", "security-admin", org=ROOT_ORG)
    console.site.house.kms.rekeying.request_rekey(asks, Opening(2, ("one", "two", "three")))
    keeper = console.reader("security-admin")
    assert 'href="/key-pool#rekey"' in keeper.get("/approvals").text
    page = keeper.get("/key-pool").text
    assert 'id="rekey"' in page
    assert "secops kms decide-rekey" in page


def test_both_lists_are_exported(console: ConsoleSite, device: FakeKeyBackend) -> None:
    reader = console.reader("auditor")
    keys = rows(reader.get("/key-pool?format=csv").body)
    assert keys[0][:4] == ["密钥", "类型", "状态", "所在设备"]
    sm2 = next(row for row in keys if row[0] == "demo-sm2")
    assert (sm2[3], sm2[-2], sm2[-1]) == ("软件", "国密算法", "软件保护")
    found = rows(reader.get("/key-pool?format=csv&list=backends").body)
    assert [row[:6] for row in found[1:]] == [
        ["token-1", "密码令牌 (PKCS#11)", "east", "token-1", "正常", "接收"]
    ]
    assert device.checks == 1


def test_the_security_administrator_drains_checks_and_resumes(
    console: ConsoleSite, device: FakeKeyBackend
) -> None:
    keeper = console.reader("security-admin")
    switch = "/key-pool/backends/token-1/switch"
    assert keeper.post(switch, {"to": "drain"}).status == 303
    assert "排空中" in keeper.get("/key-pool").text
    device.fault = "gone"
    assert keeper.post("/key-pool/backends/token-1/check").status == 303
    assert "kms.backend_fault" in keeper.get("/key-pool").text
    device.fault = ""
    assert keeper.post("/key-pool/backends/token-1/check").status == 303
    assert keeper.post(switch, {"to": "resume"}).status == 303
    assert "排空中" not in keeper.get("/key-pool").text
    assert keeper.post(switch, {"to": "nothing"}).status == 400


def test_an_auditor_sees_the_pool_and_switches_nothing(
    console: ConsoleSite, device: FakeKeyBackend
) -> None:
    reader = console.reader("auditor")
    assert 'value="drain"' not in reader.get("/key-pool").text
    assert reader.post("/key-pool/backends/token-1/switch", {"to": "drain"}).status == 403
    assert device.checks == 1
