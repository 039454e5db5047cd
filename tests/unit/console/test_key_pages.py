"""The keys' pages: made, rotated, granted, taken out of use; destroyed by two persons."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

from secops.kernel.pages import PageRequest
from tests.fakes.console_site import ConsoleSite, Page

HERE = "/keys"


def make(console: ConsoleSite, name: str, **form: str) -> str:
    """Return the page of a key that was just made."""
    made = console.reader("security-admin").post(
        HERE, {"name": name, "type": "ecdsa-p256", "mount": "transit", **form}
    )
    assert made.status == 303, made.text
    assert made.headers["location"] == f"{HERE}/{name}?mount=transit"
    return made.headers["location"]


def act(console: ConsoleSite, name: str, what: str, **form: str) -> Page:
    page = console.reader("security-admin").post(f"{HERE}/{name}/{what}?mount=transit", form)
    assert page.status == 303, page.text
    return console.reader("security-admin").get(page.headers["location"])


def test_a_key_is_made_rotated_granted_and_taken_away(console: ConsoleSite) -> None:
    where = make(console, "pages-one", period="90d")
    shown = console.reader("security-admin").get(where).text
    assert "BEGIN PUBLIC KEY" in shown
    assert "轮换到期" in shown
    assert "<td>2</td>" in act(console, "pages-one", "rotate").text
    granted = act(console, "pages-one", "grants", subject="integrator", to="grant").text
    subject = re.search(r"<code>(account:[^<]+)</code>", granted)
    assert subject is not None
    taken = act(console, "pages-one", "grants", subject=subject[1], to="revoke")
    assert subject[1] not in taken.text
    assert "已停用" in act(console, "pages-one", "switch", to="suspend", reason="x").text
    assert "有效" in act(console, "pages-one", "switch", to="resume").text


def test_the_list_is_sorted_exported_and_paged(console: ConsoleSite) -> None:
    for name in ("pages-b", "pages-a"):
        make(console, name)
    reader = console.reader("security-admin")
    exported = reader.get(f"{HERE}?format=csv&sort=name")
    rows = list(csv.reader(io.StringIO(exported.text.removeprefix("\ufeff"))))
    assert {"pages-a", "pages-b"} <= {row[0] for row in rows[1:]}
    first = reader.get(f"{HERE}?limit=1").text
    cursor = re.search(r"cursor=([\w-]+)", first)
    assert cursor is not None
    assert reader.get(f"{HERE}?limit=1&cursor={cursor[1]}").status == 200


def test_nobody_decides_what_they_asked_for_themselves(console: ConsoleSite) -> None:
    make(console, "pages-own")
    asked = act(console, "pages-own", "destroy", reason="换掉", delay_days="3", to="destroy")
    assert "待销毁" in asked.text
    assert "须由另一位安全管理员审批" in asked.text
    assert 'value="grant"' not in asked.text
    house = console.site.house
    page = house.kms.key_destruction.list_destructions(house.act_as("auditor"), PageRequest())
    path = f"/key-destructions/{page.items[0][0].id}/decide"
    mine = console.reader("security-admin").post(path, {"decision": "grant", "reason": "自批"})
    assert mine.status == 403
    assert "已停用" in act(console, "pages-own", "destroy", to="call_off").text


def test_who_decides_sees_exactly_what_is_lost(console: ConsoleSite) -> None:
    make(console, "pages-old")
    act(console, "pages-old", "grants", subject="integrator", to="grant")
    house = console.site.house
    keeper = house.act_as("security-admin")
    house.kms.keys.configure_key(keeper, "pages-old", {"deletion_allowed": True})
    asked = house.kms.key_destruction.destroy_key(
        replace(keeper, id="acc_second"), "pages-old", reason="替换完成", delay_days=3
    )
    reader = console.reader("security-admin")
    card = reader.get(HERE).text.partition("等待审批的销毁申请")[2].partition("创建密钥")[0]
    for told in ("pages-old", "ecdsa-p256", "替换完成", "account:", "acc_second"):
        assert told in card
    assert re.search(r"<code>[0-9a-f]{64}</code>", card)
    assert "/keys" in reader.get("/approvals").text
    decided = reader.post(
        f"/key-destructions/{asked.id}/decide", {"decision": "grant", "reason": "同意"}
    )
    assert decided.status == 303
    assert "销毁时间" in reader.get(f"{HERE}/pages-old?mount=transit").text


def test_others_see_keys_and_change_none(console: ConsoleSite) -> None:
    make(console, "pages-seen")
    auditor = console.reader("auditor")
    shown = auditor.get(f"{HERE}/pages-seen?mount=transit")
    assert shown.status == 200
    assert "<form" not in shown.text.partition("<main")[2].partition("</main>")[0]
    refused = auditor.post(f"{HERE}/pages-seen/rotate?mount=transit", {})
    assert refused.status == 403
    assert console.reader("integrator").get(f"{HERE}/pages-seen?mount=transit").status == 404
    assert console.reader("staff").get(HERE).status == 403


def test_a_form_that_says_nonsense_is_refused(console: ConsoleSite) -> None:
    reader = console.reader("security-admin")
    bad = {"name": "../x", "type": "ecdsa-p256", "mount": "transit"}
    assert reader.post(HERE, bad).status == 400
    assert reader.post(HERE, bad | {"name": "x", "type": "dsa"}).status == 400
    make(console, "pages-days")
    destroy = f"{HERE}/pages-days/destroy?mount=transit"
    for days in ("", "0", "x", "91"):
        assert reader.post(destroy, {"delay_days": days, "reason": "x"}).status == 400
    assert "有效" in reader.get(f"{HERE}/pages-days?mount=transit").text
