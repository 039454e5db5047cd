"""Pages of people and power, without a browser: forms in, pages out."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from secops.kernel.permissions import GRANTS, ROLES
from tests.fakes.console_site import ConsoleSite, Page, Reader

WORD = "政务"
PLAIN = "账号,姓名,单位\nimp.one,甲,\nbad name,乙,\n".encode("gb18030")


def account_id(console: ConsoleSite, name: str) -> str:
    accounts, act = console.site.house.iam.accounts, console.site.house.act_as
    return accounts.get_account(act("auditor"), name).id


def location(page: Page) -> str:
    assert page.status == 303, page.text
    return page.headers["location"]


def test_the_matrix_is_the_table_that_decides(console: ConsoleSite) -> None:
    page = console.reader("auditor").get("/permissions")
    assert page.status == 200
    assert page.text.count('<td class="mark">') == len(GRANTS) * len(ROLES)
    marks = page.text.count("badge good")
    assert marks == sum(len(grant.roles) for grant in GRANTS)
    exported = console.reader("auditor").get("/permissions?format=csv").text.splitlines()
    assert len(exported) == len(GRANTS) + 1


def test_a_change_is_asked_for_on_one_page_and_decided_on_another(console: ConsoleSite) -> None:
    system, security = console.reader("system-admin"), console.reader("security-admin")
    target = account_id(console, "zhangwei")
    form = {"role-staff": "1", "role-seal-holder": "1", "reason": "<b>代理</b>"}
    where = location(system.post(f"/accounts/{target}/roles/ask", form))
    own = system.get(where).text
    assert "撤回申请" in own
    assert 'value="approve"' not in own
    seen = security.get(where).text
    assert "<ins>印章使用人</ins>" in seen
    assert "<del>" not in seen
    assert "&lt;b&gt;代理" in seen
    assert where in security.get("/approvals").text
    assert location(security.post(where, {"do": "approve", "reason": "同意"})) == where
    assert "已生效" in security.get(where).text
    assert "印章使用人" in system.get(f"/accounts/{target}").text
    assert security.post(where, {"do": "approve"}).status == 409


def test_a_name_that_is_a_roles_name_is_still_a_name(console: ConsoleSite) -> None:
    system, security = console.reader("system-admin"), console.reader("security-admin")
    house = console.site.house
    asked = house.iam.resets.request_reset(house.act_as("system-admin"), "integrator", "lost")
    page = security.get(f"/approvals/{asked}").text
    assert "<td>integrator</td>" in page
    assert "<ins>待启用</ins>" in page
    assert security.post(f"/approvals/{asked}", {"do": "reject", "reason": "no"}).status == 303
    assert "已驳回" in system.get(f"/approvals/{asked}").text


def test_a_privilege_is_asked_for_on_ones_own_page(console: ConsoleSite) -> None:
    staff = console.reader("staff")
    form = {"role": "analyst", "minutes": "60", "reason": "值班"}
    where = location(staff.post("/me/privileges", form))
    assert where in staff.get("/me").text
    assert location(staff.post(where, {"do": "withdraw"})) == where
    assert staff.post("/me/privileges", {**form, "minutes": "x"}).status == 400
    assert staff.post("/me/privileges", {**form, "role": "auditor"}).status == 400


def test_the_tree_is_walked_and_changed(console: ConsoleSite) -> None:
    system = console.reader("system-admin")
    above = location(system.post("/organisations", {"name": "示范市"}))
    below = location(
        system.post("/organisations", {"name": "示范市数据局", "parent": above.rpartition("/")[2]})
    )
    page = system.get(below).text
    assert re.search(r'href="/organisations/org_\w+">示范市</a>', page)
    assert system.post(above, {"do": "close"}).status == 409
    assert location(system.post(below, {"do": "rename", "name": "示范市政务数据局"})) == below
    assert "示范市政务数据局" in system.get(above).text
    assert location(system.post(below, {"do": "close"})) == below
    assert "已撤销" in system.get(below).text
    assert "示范市政务" in system.get(f"/organisations?q={quote(WORD)}").text


def test_accounts_are_found_and_narrowed(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    found = auditor.get("/accounts?q=zhang").text
    assert "zhangwei" in found
    assert ">integrator<" not in found
    narrowed = auditor.get("/accounts?state=active&role=analyst").text
    assert re.findall(r'href="/accounts/acc_\w+">([\w-]+)<', narrowed) == ["analyst"]


def test_people_are_imported_after_a_preview(console: ConsoleSite) -> None:
    system = console.reader("system-admin")
    preview = system.upload("/people/import", {"do": "preview"}, {"table": PLAIN})
    assert "gb18030" in preview.text
    assert "bad name" in preview.text
    refused = system.upload("/people/import", {"do": "import", "rows": "all"}, {"table": PLAIN})
    assert refused.status == 400
    done = system.upload("/people/import", {"do": "import", "rows": "good"}, {"table": PLAIN})
    assert done.headers["content-disposition"] == 'attachment; filename="enrolments.csv"'
    assert [line.split(",")[0] for line in done.text.splitlines()[1:]] == ["imp.one"]
    assert system.upload("/people/import", {"do": "preview"}, {}).status == 400


def test_everybody_sees_and_takes_away_their_own_data(console: ConsoleSite) -> None:
    staff = console.reader("staff")
    page = staff.get("/me").text
    assert "当前会话" in page
    export = staff.get("/me/export")
    assert export.headers["content-disposition"] == 'attachment; filename="me.json"'
    assert '"name": "staff"' in export.text
    for word in ("password", "digest", "secret", "sealed"):
        assert word not in export.text


def test_somebody_is_let_go_from_their_page(console: ConsoleSite) -> None:
    system = console.reader("system-admin")
    created = system.post("/accounts", {"name": "short.stay", "kind": "civil"})
    assert created.status == 200, created.text
    target = account_id(console, "short.stay")
    where = f"/accounts/{target}"
    assert location(system.post(f"{where}/departure", {"reason": "调离"})) == where
    assert "已注销" in system.get(where).text


def test_every_page_offers_to_sign_out(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    pages = ("/", "/me", "/accounts", "/permissions", "/approvals", "/organisations", "/ledger")
    missing = [path for path in pages if 'action="/signout"' not in auditor.get(path).text]
    assert missing == []


def test_password_fields_are_masked_and_open_to_password_managers(console: ConsoleSite) -> None:
    stranger = Reader(console.site)
    answer = stranger.get("/signin?next=/")
    while answer.status == 303:
        where = urlsplit(location(answer))
        answer = stranger.get(f"{where.path}?{where.query}")
    page = answer.text
    fields = re.findall(r'<input[^>]*name="password"[^>]*>', page)
    assert fields
    assert all('type="password"' in field for field in fields)
    assert all('autocomplete="current-password"' in field for field in fields)
    assert "onpaste" not in page
