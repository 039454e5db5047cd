"""Notices and early warnings over HTTP, installed as the shell installs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors.notices import NoticeNotFound
from playbooks.plane import install
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.actors import Actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.web.messages import Request
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

KEEPER = person("zhou", "seal-holder")
LIAISON = person("sun", "integrator", "org_a")
CONTENT = {"title": "弱口令", "body": "请整改", "severity": "high", "units": ["org_a", "org_b"]}
WARNING = {
    "colour": "red",
    "title": "勒索软件",
    "scope": "全市",
    "measures": "断网",
    "ends_at": to_rfc3339(START + 3_600_000_000),
}


class Caller:
    def __init__(self, home: House) -> None:
        around = home.surroundings
        plane = install(home.spine.parts, around.ports, around.options)
        self.routes = {route.operation: route for route in plane.routes}
        self.status = 0

    def __call__(self, actor: Actor, operation: str, body: Any = None, **values: str) -> Any:
        query = "&".join(f"{k[2:]}={v}" for k, v in values.items() if k.startswith("q_"))
        args = {k: v for k, v in values.items() if not k.startswith("q_")}
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        request = Request("POST", "/", query, {}, content, args, actor=actor)
        response = self.routes[operation].handler(request)
        self.status = response.status
        kind = response.header("content-type") or ""
        return json.loads(response.body) if "json" in kind else response.body


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    folder: Path = tmp_path_factory.mktemp("notices")
    with house(folder) as home:
        yield Caller(home)


def test_whoever_seals_a_notice_shows_a_second_factor_just_now(call: Caller) -> None:
    route = call.routes["issue_notice"]
    assert (route.level, route.fresh_seconds) == (2, FRESH_SECONDS)


def test_a_notice_goes_its_whole_way_over_http(call: Caller) -> None:
    drafted = call(ANALYST, "draft_notice", CONTENT)
    assert (call.status, drafted["state_zh"]) == (201, "拟稿")
    one = {"notice_id": drafted["id"]}
    revised = call(ANALYST, "revise_notice", {**CONTENT, "severity": "low", "version": 1}, **one)
    assert revised["severity"] == "low"
    call(ANALYST, "submit_notice", **one)
    call(ANALYST, "recall_notice", **one)
    digest = call(ANALYST, "submit_notice", **one)["digest"]
    call(APPROVER, "decide_notice", {"grant": True, "digest": digest}, **one)
    issued = call(KEEPER, "issue_notice", {"seal_id": "sel_1"}, **one)
    assert (issued["reference"], issued["issue"]["seal"]) == ("〔2026〕1", "sel_1")
    (listed,) = call(LIAISON, "list_received_notices", q_state="open")["items"]
    assert [each["what"] for each in listed["owed"]] == ["receive", "rectify"]
    assert call(LIAISON, "receive_notice", **one)["state"] == "received"
    call(LIAISON, "respond_notice", {"text": "知悉"}, **one)
    proof = call(LIAISON, "add_proof", b"\x89PNG", **one, q_name="a.png")
    assert (call.status, proof["size"]) == (201, 4)
    asked = call(LIAISON, "petition_notice", {"kind": "extension", "reason": "x", "days": 2}, **one)
    answer = {"grant": False, "reason": "来得及"}
    assert call(APPROVER, "decide_petition", answer, petition_id=asked["id"], **one)["state"] == (
        "refused"
    )
    call(LIAISON, "rectify_notice", {"text": "已改"}, **one)
    unit = {**one, "unit_id": "org_a"}
    assert call(AUDITOR, "recheck_notice", **unit)["passed"] is None
    done = call(AUDITOR, "verify_notice", {"verdict": "close", "reason": "属实"}, **unit)
    assert (done["state"], done["ending"]) == ("closed", "verified")
    shown = call(ANALYST, "show_notice", **one)
    assert [each["state"] for each in shown["deliveries"]] == ["closed", "pending"]
    seen = call(LIAISON, "show_received_notice", **one)
    assert (seen["units"], len(seen["deliveries"])) == (["org_a"], 1)
    assert "org_b" not in json.dumps(seen)
    assert call(LIAISON, "read_notice_file", **one).startswith(b"%PDF")
    assert call(LIAISON, "verify_notice_file", **one)["valid"] is True
    assert call(ANALYST, "read_proof", proof_id=proof["id"], **one) == b"\x89PNG"
    scores = call(ANALYST, "score_units", q_year="2026")
    assert (scores["items"][0]["name"], "按时率" in scores["formula"]["zh"]) == ("市教育局", True)
    assert call(ANALYST, "list_notices")["items"][0]["id"] == one["notice_id"]
    call(APPROVER, "withdraw_notice", {"reason": "结束"}, **one)
    with pytest.raises(NoticeNotFound):
        call(person("he", "analyst", "org_b"), "show_notice", **one)
    with pytest.raises(Forbidden):
        call(person("bai", "staff"), "read_notice_file", **one)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("draft_notice", {"title": "x"}),
        ("draft_notice", {**CONTENT, "units": "org_a"}),
        ("draft_notice", {**CONTENT, "units": [1]}),
        ("draft_notice", {**CONTENT, "number": 7}),
        ("draft_warning", {**WARNING, "ends_at": "tomorrow"}),
        ("draft_warning", {**WARNING, "ends_at": "2026-01-02T00:00:00"}),
        ("draft_warning", {**WARNING, "colour": "green"}),
    ],
)
def test_bodies_of_another_shape_are_refused(
    call: Caller, operation: str, body: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        call(ANALYST, operation, body)


@pytest.mark.parametrize("year", ["", "26", "２０２６", "20266"])
def test_a_year_has_four_digits(call: Caller, year: str) -> None:
    with pytest.raises(Invalid):
        call(ANALYST, "score_units", q_year=year)


def test_a_warning_goes_its_whole_way_over_http(call: Caller) -> None:
    drafted = call(ANALYST, "draft_warning", WARNING)
    one = {"warning_id": drafted["id"]}
    body = {**WARNING, "colour": "orange", "version": drafted["version"]}
    assert call(ANALYST, "revise_warning", body, **one)["colour_zh"].startswith("橙色")
    digest = call(ANALYST, "submit_warning", **one)["digest"]
    call(APPROVER, "decide_warning", {"grant": True, "digest": digest}, **one)
    call(ANALYST, "issue_warning", **one)
    asked = call(ANALYST, "adjust_warning", WARNING, **one)
    assert (asked["colour"], asked["wanted"]["colour"]) == ("orange", "red")
    call(APPROVER, "decide_warning", {"grant": True, "digest": asked["digest"]}, **one)
    (seen,) = call(person("bai", "staff", "org_c"), "warnings_in_force")["items"]
    assert (seen["colour"], "authors" in seen) == ("red", False)
    assert call(AUDITOR, "show_warning", **one)["state"] == "adjusted"
    assert call(APPROVER, "lift_warning", {"reason": "解除"}, **one)["state"] == "lifted"
    other = call(ANALYST, "draft_warning", WARNING)
    gone = call(ANALYST, "withdraw_warning", {"reason": "x"}, warning_id=other["id"])
    assert gone["state"] == "withdrawn"
    assert len(call(ANALYST, "list_warnings", q_state="lifted")["items"]) == 1
