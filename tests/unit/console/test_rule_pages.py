"""The pages of rules: filters, coverage, trying a rule, and folders of others."""

from __future__ import annotations

import re
from pathlib import Path

from detectors.models.rule_folders import FolderOrder
from detectors.service import DetectorsServices
from secops.console.days import HEIGHT, WIDTH, day_picture
from secops.kernel.actors import ROOT_ORG, Actor
from tests.fakes.console_site import ConsoleSite, Page, Reader

ROOT_SIGN_IN = "89ad56ed-710a-5102-bba1-503b4af66324"
BRUTE_FORCE = "b71330a4-87dd-5b77-9bcf-b1116a776502"
ACCEPTED = (
    "Nov 22 11:00:00 gov-web-01 sshd[3001]: Accepted password for {} from 10.0.0.9 port 5 ssh2"
)
FAILED = "Nov 22 11:0{}:00 gov-web-01 sshd[3001]: Failed password for a from 10.0.0.9 port 5 ssh2"


def titles(page: Page) -> list[str]:
    return re.findall(r'<a href="/rules/[^"?]+">([^<]+)</a>', page.text)


def follow(reader: Reader, answer: Page) -> Page:
    assert answer.status == 303, answer.text
    return reader.get(answer.headers["location"])


def test_rules_are_found_by_word_technique_level_and_state(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    everything = titles(analyst.get("/rules"))
    found = titles(analyst.get("/rules?q=attack.t1558.003"))
    assert 0 < len(found) < len(everything)
    critical = titles(analyst.get("/rules?level=critical"))
    waiting = titles(analyst.get("/rules?state=off"))
    assert set(critical) < set(everything)
    assert set(waiting).isdisjoint(titles(analyst.get("/rules?state=on")))
    assert "没有符合条件的规则" in analyst.get("/rules?q=no-such-rule").text
    assert analyst.get("/rules?cursor=x").status == 200
    assert titles(analyst.get("/rules?cursor=100000")) == []


def test_coverage_shows_techniques_and_log_sources(console: ConsoleSite) -> None:
    page = console.reader("analyst").get("/coverage")
    assert page.status == 200
    assert "T1110.001" in page.text
    assert "有数据、有规则" in page.text
    assert "linux/*/sshd" in page.text
    assert "#0" not in page.text
    exported = console.reader("analyst").get("/coverage?format=csv")
    assert "linux/*/sshd" in exported.text
    assert console.reader("staff").get("/coverage").status == 403


def test_a_rule_tells_what_it_has_done(console: ConsoleSite) -> None:
    page = console.reader("analyst").get(f"/rules/{BRUTE_FORCE}")
    assert page.status == 200
    for word in ("历史", "评估记录", "空缺", "误报提示", "T1110.001", "Password Guessing"):
        assert word in page.text
    assert "<rect" in page.text
    assert '<a href="/log-sources">日志来源</a>' in page.text, "where its events come from"


def test_a_rule_s_volume_is_forecast_over_what_is_stored(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    page = analyst.get(f"/rules/{BRUTE_FORCE}?forecast=200")
    assert page.status == 200
    found = re.search(r"预计告警</dt><dd><strong>(\d+)</strong>", page.text)
    assert found is not None
    assert int(found[1]) > 0
    assert "预计告警" not in analyst.get(f"/rules/{BRUTE_FORCE}?forecast=nonsense").text


def test_a_rule_is_tried_on_a_pasted_line_and_says_why(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    where = f"/rules/{ROOT_SIGN_IN}/try"
    holds = analyst.post(where, {"lines": ACCEPTED.format("root")})
    assert holds.status == 200
    assert "会告警" in holds.text
    assert "= root" in holds.text
    fails = analyst.post(where, {"lines": ACCEPTED.format("ann")})
    assert "不会告警" in fails.text
    assert "没有满足的条件" in fails.text
    unread = analyst.post(where, {"lines": "???"})
    assert "无法读取" in unread.text
    assert analyst.post(where, {"lines": " "}).status == 400
    assert analyst.post(where, {"lines": "x\n" * 300}).status == 400
    assert analyst.post(where, {"event": "0" * 64}).status == 404
    hostile = analyst.post(where, {"lines": ACCEPTED.format("<script>alert(1)</script>")})
    assert "<script>alert(1)" not in hostile.text


def test_a_correlation_is_tried_on_all_lines_together(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    where = f"/rules/{BRUTE_FORCE}/try"
    enough = "\r\n".join(FAILED.format(minute // 2) for minute in range(5))
    assert "不会告警" not in analyst.post(where, {"lines": enough}).text
    assert "不会告警" in analyst.post(where, {"lines": FAILED.format(1)}).text


def test_a_rule_is_tried_on_a_stored_event(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    alert = re.search(r'href="(/alerts/alr_[^"?]+)', analyst.get("/alerts?status=").text)
    assert alert is not None
    event = re.search(r"<code>([0-9a-f]{64})</code>", analyst.get("/logs").text)
    assert event is not None
    tried = analyst.post(f"/rules/{ROOT_SIGN_IN}/try", {"event": event[1]})
    assert tried.status == 200
    assert "解析出的字段" in tried.text
    assert console.reader("auditor").get("/rules").status == 200


def test_a_folder_is_chosen_from_and_removed_by_the_security_administrator(
    console: ConsoleSite, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "LICENSE").write_text("theirs alone")
    (folder / "a.yml").write_text(
        "title: Foreign\nid: 00000000-0000-4000-8000-000000000001\nstatus: stable\nlevel: high\n"
        "logsource: {product: windows}\ndetection: {sel: {A: 1}, condition: sel}\n"
    )
    security, analyst = console.reader("security-admin"), console.reader("analyst")
    services = next(s for s in console.site.house.services if isinstance(s, DetectorsServices))
    roles = frozenset({"security-admin"})
    admin = Actor("account", "acc_x", ROOT_ORG, "x", roles=roles, level=2)
    services.rule_folders.import_rules(admin, FolderOrder("theirs", "DRL-1.1", "here"), folder)
    assert "DRL-1.1" in analyst.get("/rule-folders").text
    where = "/rule-folders/theirs"
    assert "theirs alone" in analyst.get(where).text
    assert "移除规则目录" not in analyst.get(where).text
    assert analyst.post(f"{where}/choose", {}).status == 403
    chosen = {"status-stable": "1", "level-high": "1"}
    assert "checked" in follow(security, security.post(f"{where}/choose", chosen)).text
    assert titles(analyst.get("/rules?state=on&q=folder:theirs")) == ["Foreign"]
    assert security.post(f"{where}/remove", {"reason": ""}).status == 400
    assert "theirs" not in follow(security, security.post(f"{where}/remove", {"reason": "x"})).text
    assert analyst.get(where).status == 404


def test_a_day_with_alerts_has_a_bar_and_the_highest_is_full() -> None:
    bars = day_picture([(0, 0), (1, 10), (2, 1)]).bars
    assert [bar.height for bar in bars] == [0.0, HEIGHT, 9.0]
    assert all(bar.y + bar.height == HEIGHT for bar in bars)
    assert sum(bar.width for bar in bars) <= WIDTH
    assert day_picture([]).bars == ()
