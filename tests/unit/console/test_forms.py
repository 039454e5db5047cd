"""Every form of the console does what its button says, for the role that may press it."""

from __future__ import annotations

import io
import re
import zipfile

from secops.console.render import beijing_time, utc_time
from tests.fakes.console_site import ConsoleSite, Page, Reader
from tests.fakes.demo_site import Login
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_pages import paged_pdf


def first(pattern: str, page: Page) -> str:
    found = re.search(pattern, page.text)
    assert found is not None, page.text
    return found[1]


def follow(reader: Reader, answer: Page) -> Page:
    assert answer.status == 303, answer.text
    return reader.get(answer.headers["location"])


def test_an_account_is_made_enrolled_given_a_role_locked_and_unlocked(
    console: ConsoleSite,
) -> None:
    admin, security = console.reader("system-admin"), console.reader("security-admin")
    made = admin.post("/accounts", {"name": "wangfang"})
    assert made.status == 200
    token = first(r"<pre>([^<]+)</pre>", made)
    account = first(r'href="(/accounts/acc_[^"]+)"', made)
    stranger = Reader(console.site)
    asked = stranger.get(f"/enrol?token={token}")
    secret = first(r'class="hint">[^<]*<code>([A-Z2-7]{32})</code>', asked)
    login = Login("vT7#qm-Lk2w-Zr9p", secret)
    form = {
        "token": token,
        "password": login.password,
        "repeat": login.password,
        "code": login.code(console.site.house.parts.clock.now()),
    }
    assert stranger.post("/enrol", {**form, "repeat": "x"}).status == 400
    assert stranger.post("/enrol", {**form, "code": "000000"}).status in (400, 401)
    assert "恢复码" in stranger.post("/enrol", form).text

    shown = follow(security, security.post(f"{account}/roles", {"do": "assign", "role": "staff"}))
    assert "收回角色" in shown.text
    again = follow(security, security.post(f"{account}/roles", {"do": "revoke", "role": "staff"}))
    assert "收回角色" not in again.text
    assert security.post(f"{account}/roles", {"do": "dance"}).status == 400

    for act, state in (("sessions/revoke", "有效"), ("lock", "已锁定"), ("unlock", "有效")):
        page = follow(admin, admin.post(f"{account}/{act}", {"reason": "演练"}))
        assert first(r'<h1>.*?<span class="badge [a-z]+">([^<]+)<', page) == state


def test_a_rule_is_switched_and_an_alert_closed(console: ConsoleSite) -> None:
    security, analyst = console.reader("security-admin"), console.reader("analyst")
    rule = first(r'href="(/rules/[^"]+)"', security.get("/rules"))
    off = follow(security, security.post(f"{rule}/switch", {"to": "disabled", "reason": "演练"}))
    assert "启用规则" in off.text
    on = follow(security, security.post(f"{rule}/switch", {"to": "enabled"}))
    assert "停用规则" in on.text
    assert "启用规则" not in analyst.get(rule).text

    alert = first(r'href="(/alerts/alr_[^"?]+)', analyst.get("/alerts?severity=medium"))
    closed = follow(analyst, analyst.post(f"{alert}/close", {"reason": "误报"}))
    assert "误报" in closed.text
    assert alert in analyst.get("/alerts?status=closed").text
    assert alert not in analyst.get("/alerts?severity=medium").text
    assert analyst.get("/logs?q=%28").status == 200
    assert 'role="alert"' in analyst.get("/logs?q=%28").text


def test_an_incident_is_judged_planned_run_approved_and_reported(console: ConsoleSite) -> None:
    security, analyst = console.reader("security-admin"), console.reader("analyst")
    alert = first(r'href="(/alerts/alr_[^"?]+)', analyst.get("/alerts?severity=high"))
    incident = analyst.post(f"{alert}/incident").headers["location"]
    sent = {"duty": "first_report", "filed_to": "12387", "reference": "7"}
    filed = follow(analyst, analyst.post(f"{incident}/filings", sent))
    assert "已报送:首报 12387 7" in filed.text
    assert analyst.post(f"{incident}/filings", sent).status == 409
    owed = follow(analyst, analyst.post(f"{incident}/duties", {"duty": "defect_report"}))
    assert "剩余 23 小时" in owed.text
    assert "Named(" not in owed.text
    page = analyst.get(incident)
    state = first(r'<select name="state"><option value="([^"]+)"', page)
    moved = follow(analyst, analyst.post(f"{incident}/state", {"state": state, "reason": "确认"}))
    assert moved.text.count("<li><time") > page.text.count("<li><time")
    assert follow(analyst, analyst.post(f"{incident}/judge", {"cause": "弱口令"})).status == 200
    assert "弱口令" in analyst.get(incident).text
    assert incident in analyst.get("/incidents?state=").text

    wish = {"playbook": "ssh_brute_force_contain", "var:__account__": "integrator"}
    planned = analyst.post(f"{incident}/plan", {**wish, "do": "plan"})
    assert "尚未执行任何动作" in planned.text
    assert analyst.post(f"{incident}/plan", {"playbook": "none"}).status == 404
    run = analyst.post(f"{incident}/plan", {**wish, "do": "request"}).headers["location"]
    waiting = security.get(run)
    digest = first(r'name="plan" value="([0-9a-f]{64})"', waiting)
    assert 'name="plan"' not in analyst.get(run).text
    other = security.post(f"{run}/approve", {"decision": "grant", "plan": "0" * 64})
    assert other.status in (400, 409)
    refused = security.post(
        f"{run}/approve", {"decision": "reject", "plan": digest, "reason": "不必"}
    )
    assert follow(security, refused).status == 200
    assert run in analyst.get("/runs").text
    second = analyst.post(f"{incident}/plan", {**wish, "do": "request"}).headers["location"]
    gone = follow(analyst, analyst.post(f"{second}/cancel", {"reason": "误操作"}))
    assert "已取消" in gone.text
    report = analyst.post(f"{incident}/report")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "弱口令" in report.text
    printed = analyst.post(f"{incident}/report", {"kind": "first", "format": "docx"})
    assert (printed.headers["content-disposition"][-6:], printed.body[:2]) == ('.docx"', b"PK")
    assert analyst.post(f"{incident}/report", {"format": "exe"}).status == 400


def see_the_place_first(console: ConsoleSite, seal: str, place: dict[str, str]) -> None:
    """Look at the place, then seal a PDF for long."""
    holder, pdf = console.reader("seal-holder"), {"document": paged_pdf()}
    for file in ({"document": pack(paged_document(2))}, pdf):
        seen = holder.upload(f"{seal}/preview", place, file)
        assert (seen.status, 'src="data:image/png;base64,' in seen.text) == (200, True)
    assert holder.upload(f"{seal}/preview", {}, {"document": b""}).status == 400
    form = {"purpose": "印发", "pades_level": "b-lta", "pades_key": "rsa-3072"}
    lasting = holder.upload(f"{seal}/stamp", form, pdf).body
    judged = Reader(console.site, remote="192.0.2.94").upload("/verify", {}, {"sealed": lasting})
    assert "PAdES B-LTA" in judged.text


def have_the_verdict_signed(console: ConsoleSite, files: dict[str, bytes]) -> None:
    """Get the verdict as a PDF that anybody may verify in turn."""
    holder = console.reader("seal-holder")
    reported = holder.upload("/verify/report", {}, files)
    assert reported.headers["content-disposition"] == 'attachment; filename="verdict.pdf"'
    anybody = Reader(console.site, remote="192.0.2.93")
    assert 'badge good">有效' in anybody.upload("/verify", {}, {"sealed": reported.body}).text
    assert holder.upload("/verify/report", {}, {"sealed": b""}).status == 400
    assert "签名的结论" in holder.get("/verify/report").text
    assert anybody.upload("/verify/report", {}, files).status in (303, 401)


def test_a_seal_is_applied_for_approved_made_used_and_suspended(console: ConsoleSite) -> None:
    applicant, security = console.reader("seal-applicant"), console.reader("security-admin")
    wish = {
        "name": "临江县档案馆",
        "shape": "oval",
        "organization": "临江县档案馆",
        "holders": "seal-holder",
        "reason": "新设",
    }
    assert follow(applicant, applicant.post("/seals/apply", wish)).status == 200
    application = first(r'href="(/seals/applications/[^"]+)"', security.get("/seals"))
    assert "data:image/png;base64," in security.get(application).text
    agreed = security.post(f"{application}/decide", {"decision": "grant", "reason": "同意"})
    assert "制章" in follow(security, agreed).text
    seal = security.post(f"{application}/make").headers["location"]
    assert "临江县档案馆" in security.get(seal).text

    holder = console.reader("seal-holder")
    assert holder.upload(f"{seal}/use", {"purpose": "归档"}, {"document": b""}).status == 400
    sealed = holder.upload(f"{seal}/use", {"purpose": "归档"}, {"document": b"a letter"})
    assert sealed.headers["content-disposition"].endswith('.dat"')
    assert "归档" in holder.get(seal).text
    ofd = {"document": pack(paged_document(2))}
    place = {"purpose": "印发", "page": "-1", "x": "120", "y": "200.5", "edge": "100"}
    stamped = holder.upload(f"{seal}/stamp", place, ofd)
    assert stamped.headers["content-disposition"].endswith('.ofd"')
    assert holder.upload(f"{seal}/stamp", {"purpose": "印发"}, ofd).status == 200
    shown = Reader(console.site, remote="192.0.2.91").upload(
        "/verify", {}, {"sealed": stamped.body}
    )
    assert 'badge good">有效' in shown.text
    pdf = {"document": paged_pdf()}
    signed = holder.upload(f"{seal}/stamp", {"purpose": "印发", "pdf": "sm2"}, pdf)
    assert signed.headers["content-disposition"].endswith('.pdf"')
    see_the_place_first(console, seal, {**place, "edge": ""})
    anybody = Reader(console.site, remote="192.0.2.92")
    assert "通用 PDF 阅读器" in anybody.upload("/verify", {}, {"sealed": signed.body}).text
    assert "以 SM2 签入 PDF" in holder.get(seal).text
    rules = {"version": "0", "opens": "00:00", "closes": "24:00", "max_risk": "100", "day4": "on"}
    days = {f"day{day}": "on" for day in range(1, 8)}
    limits = {**rules, **days, "document_classes": "公文 合同", "users": "seal-holder"}
    page = follow(security, security.post(f"{seal}/use-policy", limits))
    assert "合同" in page.text
    assert security.post(f"{seal}/use-policy", limits).status == 409
    for broken in ({"opens": "8"}, {"max_risk": ""}, {"version": "x"}, {"daily_cap": "-1"}):
        assert security.post(f"{seal}/use-policy", {**limits, **broken}).status == 400
    assert holder.upload(f"{seal}/stamp", place, ofd).status == 403
    place["document_class"] = "合同"
    assert holder.upload(f"{seal}/stamp", place, ofd).status == 200
    assert "<option>合同</option>" in holder.get(seal).text
    for wrong in ({"page": "1.5"}, {"page": ""}, {"x": "left"}, {"x": "nan"}, {"edge": "1e99"}):
        assert holder.upload(f"{seal}/stamp", {**place, **wrong}, ofd).status == 400
    for file in (b"", b"a letter"):
        assert holder.upload(f"{seal}/stamp", place, {"document": file}).status == 400
    public = Reader(console.site, remote="192.0.2.90")
    files = {"sealed": sealed.body, "document": b"a letter"}
    assert 'badge good">有效' in public.upload("/verify", {}, files).text
    changed = public.upload("/verify", {}, {**files, "document": b"another"}).text
    assert first(r'id="verdict"><span class="badge ([a-z]+)"', Page(200, {}, changed, b"")) == "bad"
    have_the_verdict_signed(console, files)

    for to, state in (("suspend", "已停用"), ("resume", "有效"), ("revoke", "已吊销")):
        page = follow(security, security.post(f"{seal}/switch", {"to": to, "reason": "演练"}))
        assert first(r'<h1>.*?<span class="badge [a-z]+">([^<]+)<', page) == state
    assert security.post(f"{seal}/switch", {"to": "eat"}).status == 400


def test_an_assessment_is_made_walked_judged_filtered_and_exported(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    for wrong in ({"level": "9"}, {"standard": "gbt1"}):
        assert auditor.post("/assessments", wrong).status == 400
    made = auditor.post("/assessments", {"level": "3"}).headers["location"]
    whole, some = auditor.get(made), auditor.get(f"{made}?status=gap")
    assert some.text.count("<tr>") < whole.text.count("<tr>")
    assert auditor.get(f"{made}?status=odd").status == 400
    report = auditor.post(f"{made}/report")
    assert report.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(report.body)) as archive:
        assert [name.endswith(".proof") for name in archive.namelist()] == [False, True]
    assert made in auditor.get("/assessments").text
    begun = auditor.get(f"{made}/walk?status=gap").headers["location"]
    page = auditor.get(begun)
    following = first(r'rel="next" href="([^"]+)"', page).replace("&amp;", "&")
    assert begun in auditor.get(following).text.replace("&amp;", "&")
    item = f"{made}/items/L3-CES1-06"
    assert "default_accounts" in auditor.get(item).text
    assert "sha256:" in auditor.get(item).text
    said = {"person": "李华", "reason": "<script>现场核查</script>"}
    judged = auditor.upload(f"{item}/judgement", {"status": "partial", **said}, {"evidence": b"d"})
    assert judged.headers["location"] == f"{item}?noted=1"
    case = first(r'name="case" value="([^"]+)"', auditor.get(item))
    ticks = {"condition": "yes", "triggered": "yes", "case": case}
    assert auditor.upload(f"{item}/case", {**ticks, **said}, {}).status == 303
    assert auditor.upload(f"{item}/case", {**ticks, **said, "never": "maybe"}, {}).status == 400
    assert auditor.upload(f"{item}/high-risk", {"high": "yes", **said}, {}).status == 303
    assert auditor.upload(f"{item}/major", {"trigger": "A-99", **said}, {}).status == 400
    again = auditor.post("/assessments", {"level": "3"}).headers["location"]
    shown = auditor.get(f"{again}/items/L3-CES1-06").text
    assert "<script>现场" not in shown
    assert "李华" in shown
    history = auditor.get("/assessments/controls/gbt22239/L3-CES1-06")
    assert auditor.get(first(r'href="(/assessments/asm_[^"]+)"', history)).status == 200
    assert auditor.get(f"{made}/items/L3-NONE").status == 404


def test_units_of_cryptography_are_judged_on_their_page(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    wish = {"standard": "gbt39786", "level": "3"}
    made = auditor.post("/assessments", wish).headers["location"]
    unit = f"{made}/items/MP-6.1.1"
    dak = {"effective": "yes", "approved": "yes", "managed": "yes", "person": "李华", "reason": "r"}
    assert auditor.upload(f"{unit}/unit", {**dak, "bits": "many"}, {}).status == 400
    page = auditor.upload(f"{unit}/unit", dak, {})
    assert page.status == 303, page.text
    again = auditor.post("/assessments", wish).headers["location"]
    assert "未经商用密码认证的软件模块" in auditor.get(f"{again}/items/MP-6.1.1").text


def test_assessments_are_scheduled_and_cancelled(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    place = "/assessments/schedules"
    assert auditor.post(place, {"hours": "0"}).status == 400
    assert auditor.post(place, {"hours": "x"}).status == 400
    assert auditor.post(place, {"hours": "24"}).status == 303
    cancel = first(r'action="(/assessments/schedules/sch_[^"]+)"', auditor.get(place))
    assert auditor.post(cancel).status == 303
    assert "sch_" not in auditor.get(place).text
    assert console.reader("analyst").get(place).status == 403


def test_the_ledger_shows_an_entry_with_its_proof_and_verifies(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    assert "c2sp.org/tlog-proof@v1" in auditor.get("/ledger/0").text
    assert auditor.get("/ledger/99999999").status == 404
    assert 'badge good">通过' in auditor.post("/ledger/verify").text
    filtered = auditor.get("/ledger?action=iam.assign_role")
    assert set(re.findall(r"<td>([a-z]+\.[a-z_]+)</td>", filtered.text)) == {"iam.assign_role"}


def test_own_sessions_are_seen_and_ended(console: ConsoleSite) -> None:
    reader, other = console.reader("staff"), Reader(console.site)
    other.sign_in("staff", ahead=1)
    others = re.findall(r'action="/me/sessions/(ses_[^/]+)/end"', reader.get("/me").text)
    assert others
    for session in others:
        assert reader.post(f"/me/sessions/{session}/end").status == 303
    assert (reader.get("/me").status, other.get("/me").status) == (200, 303)


def test_sign_in_without_a_transaction_or_with_a_wrong_code_begins_again(
    console: ConsoleSite,
) -> None:
    reader = Reader(console.site)
    assert reader.get("/login").headers["location"] == "/signin"
    assert reader.post("/login/factor", {"reference": "none", "code": "1"}).status in (400, 401)
    assert reader.get("/enrol").status == 200
    assert reader.post("/login", {}, origin="http://evil.example").status == 403


def test_static_files_are_those_of_the_list_and_cached(console: ConsoleSite) -> None:
    reader = Reader(console.site)
    for path in ("/static/console.css", "/static/vendor/htmx.min.js", "/favicon.ico"):
        assert reader.get(path).headers["cache-control"].endswith("immutable")
    for path in ("/static/../texts.py", "/static/%2e%2e/texts.py", "/static/none.js"):
        assert reader.get(path).status == 404


def test_an_unknown_instant_is_a_dash() -> None:
    assert (beijing_time(None), utc_time(None)) == ("—", "")
    assert (beijing_time(0), utc_time(0)) == ("1970-01-01 08:00:00", "1970-01-01T00:00:00Z")
