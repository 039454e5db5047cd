"""Pages of legal persons, mandates, and one account with everything that hangs on it."""

from __future__ import annotations

import re

from iam.service.protection.locks import NewLock
from secops.kernel.clock import SystemClock, to_rfc3339
from secops.kernel.events import Delivery, SubjectRiskChanged
from tests.fakes.console_site import ConsoleSite, Page
from tests.unit.console.test_people_pages import account_id, location

CODE = "91350100M000100Y43"
OTHER = "91440300708461136T"


def day(ahead: int) -> str:
    return to_rfc3339(SystemClock().now() + ahead * 86_400_000_000)[:10]


def form(**given: str) -> dict[str, str]:
    asked = {
        "agent": "zhangwei",
        "scope": "<b>年度申报</b>",
        "services": "oa",
        "seals": "",
        "from": day(0),
        "to": day(30),
    }
    return asked | given


def represented(console: ConsoleSite, code: str, name: str) -> str:
    """Register a legal person whose representative is ``seal-holder``, known well."""
    iam = console.site.house.iam
    made = location(
        console.reader("system-admin").post(
            "/legal-persons", {"credit_code": code, "name": name, "representative": "seal-holder"}
        )
    )
    store, holder = iam.accounts.means.stores.upstream_links, account_id(console, "seal-holder")
    from iam.models.upstream import RealNameLevel  # noqa: PLC0415 - as a province's sign-in leaves it

    now = SystemClock().now()
    level = RealNameLevel(holder, "org_root", "cn-gd", 4, "test", now, now + 86_400_000_000)
    console.site.house.parts.transactions.run(lambda tx: store.put_level(tx, level))
    return made


def refusal(page: Page) -> str:
    assert page.status >= 400, page.text
    assert 'role="alert"' in page.text
    return page.text


def test_a_legal_person_is_registered_by_a_code_that_is_right(console: ConsoleSite) -> None:
    system = console.reader("system-admin")
    asked = {"credit_code": CODE, "name": "<i>示例</i>公司", "representative": ""}
    wrong = refusal(system.post("/legal-persons", {**asked, "credit_code": f"{CODE[:17]}4"}))
    assert f'value="{CODE[:17]}4"' in wrong, "what was typed stays"
    assert refusal(system.post("/legal-persons", {**asked, "name": " "}))
    assert refusal(system.post("/legal-persons", {**asked, "representative": "nobody"}))
    own = system.post("/legal-persons", {**asked, "representative": "system-admin"})
    assert own.status == 403, "nobody makes themselves a representative"
    where = location(system.post("/legal-persons", asked))
    assert "&lt;i&gt;示例" in system.get(where).text
    assert refusal(system.post("/legal-persons", asked))
    listed = console.reader("auditor").get("/legal-persons").text
    assert CODE in listed
    assert where in listed
    assert "登记法人" not in listed
    assert CODE in console.reader("auditor").get("/legal-persons?format=csv").text
    assert console.reader("staff").get("/legal-persons").status == 403
    assert console.reader("security-admin").post("/legal-persons", asked).status == 403
    assert refusal(system.post(f"{where}/mandates", form())), "nobody has granted it yet"
    assert location(system.post(f"{where}/representative", {"account": "seal-holder"})) == where
    assert (
        f'/accounts/{account_id(console, "seal-holder")}">seal-holder</a>' in system.get(where).text
    )
    assert refusal(system.post(f"{where}/representative", {"account": "nobody"}))


def test_a_representative_grants_ends_and_the_clerk_records_what_is_on_paper(
    console: ConsoleSite,
) -> None:
    where = represented(console, OTHER, "另一公司")
    legal = where.rpartition("/")[2]
    holder, system = console.reader("seal-holder"), console.reader("system-admin")
    page = holder.get("/me/mandates").text
    assert "另一公司" in page
    assert "/me/mandates" in holder.get("/me").text
    for wrong in (
        {"to": ""},
        {"to": "soon"},
        {"from": day(3), "to": day(1)},
        {"services": ""},
        {"agent": "nobody"},
        {"agent": "seal-holder"},
    ):
        assert refusal(holder.post("/me/mandates", form(legal_person=legal) | wrong))
    assert location(holder.post("/me/mandates", form(legal_person=legal))) == "/me/mandates"
    granted = holder.get("/me/mandates").text
    assert "&lt;b&gt;年度申报" in granted
    mandate = re.search(r"/me/mandates/(man_[a-z0-9]+)/revoke", granted)
    assert mandate is not None
    seen = console.reader("auditor").get(where).text
    assert "zhangwei" in seen
    assert "撤销授权" not in seen
    stranger = console.reader("analyst")
    assert refusal(stranger.post("/me/mandates", form(legal_person=legal)))
    assert stranger.post(f"/me/mandates/{mandate[1]}/revoke").status == 403
    assert "另一公司" not in stranger.get("/me/mandates").text
    assert location(holder.post(f"/me/mandates/{mandate[1]}/revoke")) == "/me/mandates"
    assert "&lt;b&gt;年度申报" not in holder.get("/me/mandates").text

    assert location(system.post(f"{where}/mandates", form(scope="代办年检"))) == where
    written = system.get(where).text
    assert "代办年检" in written
    mandate = re.search(r"/mandates/(man_[a-z0-9]+)/revoke", written)
    assert mandate is not None
    assert console.reader("security-admin").post(f"{where}/mandates", form()).status == 403
    assert console.reader("security-admin").get(where).status == 200
    assert location(system.post(f"{where}/mandates/{mandate[1]}/revoke")) == where
    assert "代办年检" not in system.get(where).text


def test_an_accounts_page_shows_what_hangs_on_it_to_who_may_see_it(console: ConsoleSite) -> None:
    iam, act_as = console.site.house.iam, console.site.house.act_as
    who = account_id(console, "zhangwei")  # whose session no other test keeps: a lock ends it
    risk = next(
        one
        for plane in console.site.house.planes
        for one in plane.subscriptions
        if one.name == "iam.risk"
    )
    now = SystemClock().now()
    risk.handle(Delivery(10**12, now, SubjectRiskChanged("org_root", f"account:{who}", 61, "t")))
    lock = iam.protection.locks.lock_subject(
        act_as("analyst"), NewLock("account", who, "<b>丢失</b>", now + 3_600_000_000)
    )
    security = console.reader("security-admin").get(f"/accounts/{who}").text
    for expected in ("口令", "动态码", "须再次验证后访问", f"/locks/{lock.id}", "61", "/devices"):
        assert expected in security
    assert "&lt;b&gt;丢失" in security
    assert "最近操作" not in security, "the ledger is not the security administrator's"
    console.site.house.audits.ledger.sequencer.drain()
    audit = console.reader("audit-admin").get(f"/accounts/{who}").text
    assert f"/ledger?target=account:{who}" in audit
    assert f"/ledger?actor={who}" in audit
    assert "iam.lock_subject" in audit
    analyst = console.reader("analyst").get(f"/accounts/{who}").text
    assert f"/entity?subject=account:{who}" in analyst
    assert "没有角色" not in analyst, "roles are not shown as none to who may not see them"
    assert console.reader("staff").get(f"/accounts/{who}").status == 403
    assert console.reader("security-admin").get("/accounts/acc_unknown").status == 404
    risk.handle(
        Delivery(10**12 + 1, now, SubjectRiskChanged("org_root", f"account:{who}", 0, "over"))
    )
    iam.protection.locks.ask_to_lift(act_as("analyst"), lock.id, "found")
    iam.protection.locks.decide_lift(act_as("security-admin"), lock.id, grant=True)
