"""Pages of a key's limits, and of an organisation's quota, lock and the engines' answers."""

from __future__ import annotations

import pytest

from secops.kernel.actors import ROOT_ORG
from tests.fakes.console_site import ConsoleSite, Page

KEY = "/keys/demo-p256/limits"
TENANT = "/key-tenant"
FORM = {
    "not_before": "2026-01-01T08:00",
    "not_after": "2999-01-01T08:00",
    "max_uses": "500",
    "clients": "cli_a cli_b",
    "max_risk": "60",
}


def post(console: ConsoleSite, path: str, **form: str) -> Page:
    return console.reader("security-admin").post(path, form)


def test_limits_are_shown_and_replaced_over_the_version_that_was_shown(
    console: ConsoleSite,
) -> None:
    reader = console.reader("security-admin")
    assert "保存使用限制" in reader.get(KEY).text
    assert "使用限制" in reader.get("/keys/demo-p256").text
    assert post(console, KEY, version="0", **FORM).status == 303
    shown = reader.get(KEY).text
    for told in ("2026-01-01T08:00", "2999-01-01T08:00", "500", "cli_a", "cli_b", "60"):
        assert told in shown
    assert post(console, KEY, version="0", **FORM).status == 412
    freed = {**dict.fromkeys(FORM, ""), "max_risk": "100"}
    assert post(console, KEY, version="1", **freed).status == 303
    assert "cli_a" not in reader.get(KEY).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": ""},
        {"version": "x"},
        {"max_uses": "many"},
        {"max_risk": "101"},
        {"not_after": "tomorrow"},
    ],
)
def test_forms_that_say_something_else_are_refused(
    console: ConsoleSite, wrong: dict[str, str]
) -> None:
    assert post(console, KEY, **{"version": "0", **FORM, **wrong}).status == 400


def test_a_quota_is_set_and_the_use_stands_beside_it(console: ConsoleSite) -> None:
    reader = console.reader("security-admin")
    wish = {"organisation": "org_pages", "version": "0", "keys": "7", "versions": ""}
    assert post(console, f"{TENANT}/quota", **wish, daily_operations="900").status == 303
    shown = reader.get(f"{TENANT}?organisation=org_pages").text
    assert "0 / 7" in shown
    assert "0 / 900" in shown
    assert post(console, f"{TENANT}/quota", **wish).status == 412


def test_an_organisation_is_locked_with_a_reason_and_unlocked(console: ConsoleSite) -> None:
    reader, where = console.reader("security-admin"), {"organisation": ROOT_ORG}
    assert post(console, f"{TENANT}/switch", **where, to="lock").status == 400
    assert post(console, f"{TENANT}/switch", **where, to="lock", reason="受攻击").status == 303
    try:
        assert "已锁定" in reader.get(TENANT).text
        assert reader.get("/keys/demo-p256").status == 503
    finally:
        assert post(console, f"{TENANT}/switch", **where, to="unlock").status == 303
    assert reader.get("/keys/demo-p256").status == 200


def test_what_the_engines_answered_is_listed_for_auditors_who_change_nothing(
    console: ConsoleSite,
) -> None:
    record = console.site.house.kms.self_tests.run_self_tests("gateway-pages")
    page = console.reader("auditor").get(TENANT)
    assert "gateway-pages" in page.text
    assert "锁定本机构密钥" not in page.text
    assert "保存配额" not in page.text
    exported = console.reader("auditor").get(f"{TENANT}?format=csv").text
    assert str(record.passed) in exported
    assert console.reader("integrator").get(TENANT).status == 403
