"""Pages of what takes a second person for seals: single uses, destruction; and receipts."""

from __future__ import annotations

import json
import re

from tests.fakes.console_site import ConsoleSite, Page, Reader


def first(pattern: str, page: Page) -> str:
    found = re.search(pattern, page.text)
    assert found is not None, page.text
    return found[1]


def applicant_of(console: ConsoleSite) -> Reader:
    """Signed in for these pages alone: another test binds its session to a device."""
    if "seals" not in console.readers:
        console.readers["seals"] = Reader(console.site)
        console.readers["seals"].sign_in("seal-applicant", ahead=1)
    return console.readers["seals"]


def made_seal(console: ConsoleSite, security: Reader) -> str:
    applicant = applicant_of(console)
    wish = {
        "name": "临江县气象局",
        "shape": "round",
        "organization": "临江县气象局",
        "holders": "seal-holder",
        "reason": "新设",
        "code": "4403990012345",
    }
    assert applicant.post("/seals/apply", {**wish, "code": "44"}).status == 400
    assert applicant.upload("/seals/apply", wish, {"picture": b"no picture"}).status == 400
    assert applicant.post("/seals/apply", wish).status == 303
    application = first(r'href="(/seals/applications/[^"]+)">临江县气象局', applicant.get("/seals"))
    card = security.get(application)
    assert "4403990012345" in card.text
    assert "seal-holder" in card.text
    assert f'action="{application}/decide"' not in applicant.get(application).text
    agreed = {"decision": "grant", "reason": "同意"}
    assert security.post(f"{application}/decide", agreed).status == 303
    return security.post(f"{application}/make").headers["location"]


def test_each_use_is_asked_for_looked_at_approved_used_and_receipted(console: ConsoleSite) -> None:
    holder, security = console.reader("seal-holder"), console.reader("security-admin")
    seal = made_seal(console, security)
    days = {f"day{day}": "on" for day in range(1, 8)}
    policy = {"version": "0", "opens": "00:00", "closes": "24:00", "max_risk": "100", **days}
    assert security.post(f"{seal}/use-policy", {**policy, "approval": "each_use"}).status == 303
    shown = holder.get(seal)
    assert "每次用章均须他人审批" in shown.text
    assert f'action="{seal}/use"' not in shown.text
    letter = {"document": b"a letter"}
    assert holder.upload(f"{seal}/use", {"purpose": "归档"}, letter).status == 403

    asked = holder.upload(f"{seal}/use-requests", {"purpose": "归档"}, letter)
    assert asked.status == 303
    place = asked.headers["location"]
    assert place in security.get("/seals/use-requests").text
    assert place in security.get("/approvals").text
    assert (
        security.get("/seals/use-requests?format=csv")
        .headers["content-type"]
        .startswith("text/csv")
    )
    card = security.get(place)
    assert re.search(r"<code>[0-9a-f]{64}</code>", card.text)
    assert security.get(f"{place}/document").body == b"a letter"
    assert f'action="{place}/decide"' not in holder.get(place).text
    assert holder.post(f"{place}/use").status == 403
    assert security.post(f"{place}/decide", {"decision": "grant", "reason": "已核对"}).status == 303
    sealed = holder.post(f"{place}/use")
    assert sealed.headers["content-disposition"].endswith('.dat"')
    assert holder.post(f"{place}/use").status == 403

    receipt = first(r'href="(/seals/uses/[^"]+/receipt)"', holder.get(seal))
    given = json.loads(holder.get(receipt).body)
    assert given["use"]["request_id"] == place.rpartition("/")[2]
    assert "<rect" in holder.get(seal).text
    exported = holder.get(f"{seal}?format=csv")
    assert given["use"]["document_sm3"].encode() in exported.body


def test_a_request_without_a_file_is_a_400(console: ConsoleSite) -> None:
    holder = console.reader("seal-holder")
    seal = first(r'href="(/seals/seal_[^"]+)"', holder.get("/seals"))
    for file in ({}, {"document": b""}):
        assert holder.upload(f"{seal}/use-requests", {"purpose": "x"}, file).status == 400


def test_a_revoked_seal_is_asked_to_be_destroyed_and_not_by_who_asked(console: ConsoleSite) -> None:
    security = console.reader("security-admin")
    seal = made_seal(console, security)
    assert f'action="{seal}/destruction"' not in security.get(seal).text
    security.post(f"{seal}/switch", {"to": "revoke", "reason": "撤销"})
    assert "申请销毁" in security.get(seal).text
    assert security.post(f"{seal}/destruction", {"do": "eat", "reason": "x"}).status == 400
    asked = security.post(f"{seal}/destruction", {"do": "request", "reason": "单位撤销"})
    assert asked.status == 303
    shown = security.get(seal)
    assert "单位撤销" in shown.text
    assert "批准销毁" not in shown.text
    assert security.post(f"{seal}/destruction", {"do": "grant", "reason": "x"}).status == 403
    assert security.post(f"{seal}/destruction", {"do": "reject", "reason": "撤回"}).status == 303
    assert "申请销毁" in security.get(seal).text
