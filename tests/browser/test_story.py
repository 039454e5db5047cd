"""The product's main job, walked by its people in a real browser, in order."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.browser.visitors import Account, Visitor, Visitors, run_secops

pytestmark = [pytest.mark.browser, pytest.mark.service]

PASSWORD = "vT7#qm-Lk2w-Zr9p"
DOCUMENT = "关于印发《数据共享管理办法》的通知".encode()


def row_states(visitor: Visitor) -> list[str]:
    return visitor.page.locator("h1 .badge").all_inner_texts()


def test_a_new_colleague_enrols_and_signs_in_without_any_power(visitors: Visitors) -> None:
    admin = visitors.signed_in("system-admin")
    assert admin.go("/accounts") == 200
    admin.page.fill("main form[method=post] input[name=name]", "lihua")
    admin.press("main form[method=post] button")
    token = admin.page.locator("pre").inner_text().strip()
    colleague = visitors.stranger()
    colleague.go("/enrol")
    colleague.page.fill("input[name=token]", token)
    colleague.press("main button.primary")
    assert "lihua" in colleague.heading()
    secret = colleague.page.locator("figcaption code").inner_text()
    account = Account("lihua", PASSWORD, secret)
    for name in ("password", "repeat"):
        colleague.page.fill(f"input[name={name}]", PASSWORD)
    colleague.page.fill("input[name=code]", account.code())
    colleague.press("main button.primary")
    assert colleague.heading() == "账户已启用"
    assert len(colleague.page.locator("pre").inner_text().split()) >= 8
    used = visitors.stranger()
    assert used.go(f"/enrol?token={token}") >= 400
    colleague.sign_in(account)
    assert colleague.heading() == "我的工作台"
    assert colleague.go("/alerts") == 403


def test_a_wrong_password_and_an_unknown_user_see_the_same_page(visitors: Visitors) -> None:
    pages = []
    for name in ("audit-admin", "nobody-here"):
        visitor = visitors.stranger()
        visitor.try_sign_in(name, "Wrong-Password-000")
        pages.append((visitor.page.url, visitor.page.locator("main").inner_text()))
    assert pages[0] == pages[1]
    assert pages[0][1].count("口令") > 0


def test_a_rule_is_switched_off_and_on_again(visitors: Visitors) -> None:
    admin = visitors.signed_in("security-admin")
    admin.go("/rules")
    admin.press("main tbody a:text('SSH 口令猜测')")
    for button, badge in (("停用规则", "未启用"), ("启用规则", "运行中")):
        admin.page.fill("input[name=reason]", "演练")
        admin.press(f"button:text-is('{button}')")
        assert admin.page.locator("dl .badge").nth(1).inner_text() == badge


def test_a_file_is_sealed_and_anybody_may_verify_it(visitors: Visitors, tmp_path: Path) -> None:
    document, changed = tmp_path / "notice.txt", tmp_path / "changed.txt"
    document.write_bytes(DOCUMENT)
    changed.write_bytes(DOCUMENT + b".")
    holder = visitors.signed_in("seal-holder")
    holder.go("/seals")
    holder.press("main tbody a >> nth=0")
    holder.page.set_input_files("input[name=document]", str(document))
    holder.page.fill("input[name=purpose]", "印发通知")
    with holder.page.expect_download() as waiting:
        holder.page.click("main button.primary")
    value = tmp_path / "value.dat"
    waiting.value.save_as(value)
    holder.page.reload()
    holder.picture("story-seal")
    assert "印发通知" in holder.page.locator("main").inner_text()

    citizen = visitors.stranger()
    for file, verdict in ((document, "有效"), (changed, "无效")):
        assert citizen.go("/verify") == 200
        citizen.page.set_input_files("input[name=sealed]", str(value))
        citizen.page.set_input_files("input[name=document]", str(file))
        citizen.press("main button.primary")
        assert citizen.page.locator("#verdict .badge").inner_text() == verdict
    citizen.picture("story-verify")


def test_the_auditors_report_proves_itself(visitors: Visitors, tmp_path: Path) -> None:
    auditor = visitors.signed_in("auditor")
    auditor.go("/assessments")
    auditor.press("button:text-is('立即自查')")
    assert "/assessments/" in auditor.page.url
    auditor.picture("story-assessment")
    auditor.press("a:text-is('导出报告与归档')")
    with auditor.page.expect_download() as waiting:
        auditor.page.click("button:text-is('导出签名报告及证明')")
    packed = tmp_path / "report.zip"
    waiting.value.save_as(packed)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
        (report,) = [name for name in archive.namelist() if not name.endswith(".proof")]
    home, file = visitors.service.home, tmp_path / report
    accepted = run_secops(home, "audits", "verify-report", str(file))
    assert accepted.returncode == 0, accepted.stderr
    file.write_bytes(file.read_bytes().replace(b"3", b"4", 1))
    refused = run_secops(home, "audits", "verify-report", str(file))
    assert refused.returncode == 1
    auditor.go("/ledger")
    auditor.press("button:text-is('校验整个账本')")
    assert row_states(auditor) == ["通过"]


def test_everybody_is_kept_from_others_pages_with_the_reason(visitors: Visitors) -> None:
    from secops.console.navigation import NAVIGATION  # noqa: PLC0415 - beside its one use
    from secops.kernel.permissions import permissions_of  # noqa: PLC0415 - as above

    for role in ("system-admin", "security-admin", "analyst", "auditor", "seal-holder"):
        visitor, held = visitors.signed_in(role), permissions_of(frozenset({role}))
        for entry in NAVIGATION:
            allowed = entry.permission is None or entry.permission in held
            answer = visitor.page.request.get(entry.href)  # with the browser's cookies, undrawn
            wanted = 200 if allowed else 403
            assert (role, entry.href, answer.status) == (role, entry.href, wanted)
            if not allowed:
                text = answer.text()
                assert str(entry.permission) in text
                assert "所需权限及持有角色" in text


def test_alerts_are_worked_through_with_the_keyboard(visitors: Visitors) -> None:
    analyst = visitors.signed_in("analyst")
    analyst.go("/alerts?status=")
    links = analyst.page.locator("main tbody a")
    wanted = links.nth(1).get_attribute("href")
    for key in ("j", "j", "j", "k", "Enter"):
        analyst.page.keyboard.press(key)
    analyst.page.wait_for_url(f"**{wanted}")
    analyst.page.keyboard.press("?")
    assert analyst.page.locator("#keys").is_visible()
    analyst.page.keyboard.press("Escape")
    assert not analyst.page.locator("#keys").is_visible()


def test_the_language_switch_keeps_the_page_with_its_filters(visitors: Visitors) -> None:
    analyst = visitors.signed_in("analyst")
    analyst.go("/alerts?status=open&severity=high")
    before = analyst.page.url
    analyst.press("button:text-is('English')")
    assert (analyst.page.url, analyst.heading()) == (before, "Alerts")
    main = analyst.page.locator("main").inner_text()
    assert "SSH password guessing from one address" in main
    assert not re.search("[\u4e00-\u9fff]", main)
    analyst.press("button:text-is('中文')")
    assert (analyst.page.url, analyst.heading()) == (before, "告警")


def test_sign_in_and_alerts_work_without_scripts(visitors: Visitors) -> None:
    plain = visitors.stranger(scripts=False)
    plain.sign_in(visitors.service.accounts["analyst"])
    assert plain.heading() == "我的工作台"
    assert plain.go("/alerts") == 200
    assert plain.page.locator("main tbody tr").count() > 5


def test_no_page_complained_about_its_policy_or_its_scripts(visitors: Visitors) -> None:
    assert len(visitors.all) > 5
    assert [complaint for each in visitors.all for complaint in each.complaints] == []
