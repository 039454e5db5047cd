"""Notices and early warnings on the command line, over a real home with faked neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from playbooks.commands import group
from playbooks.errors.notices import NoticeInvalid, ProofRefused
from playbooks.models.early_warnings import WarningContent
from secops.kernel.clock import DAY
from secops.terminal.session import Session
from tests.fakes import playbooks_house
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, House, OpenedHouse, house, person

ACTORS = {
    **playbooks_house.ACTORS,
    "seal-holder": person("zhou", "seal-holder"),
    "integrator": person("sun", "integrator", "org_a"),
    "staff": person("bai", "staff", "org_c"),
}
DRAFT = ("draft-notice", "--title", "弱口令", "--body", "请整改", "--unit", "org_a")


Run = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


@pytest.fixture
def run(home: House, tmp_path: Path) -> Run:
    def invoke(actor: str, *arguments: str) -> str:
        session = Session(tmp_path, actor, lambda _: OpenedHouse(home, ACTORS))
        result = CliRunner().invoke(group, arguments, obj=session)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return invoke


def test_a_notice_goes_its_whole_way_by_commands(run: Run, tmp_path: Path) -> None:
    def read(actor: str, *arguments: str) -> Any:
        return json.loads(run(actor, *arguments, "--json"))

    notice = read("analyst", *DRAFT)["id"]
    run("analyst", "submit-notice", notice)
    run("analyst", "recall-notice", notice)
    digest = read("analyst", "submit-notice", notice)["digest"]
    run("security-admin", "decide-notice", notice, digest, "--grant")
    assert run("seal-holder", "issue-notice", notice) == f"{notice} 〔2026〕1 已发\n"
    assert notice in run("analyst", "list-notices")
    assert read("analyst", "list-notices", "--limit", "1")["items"][0]["id"] == notice
    assert "弱口令" in run("integrator", "list-received-notices")
    run("integrator", "receive-notice", notice)
    run("integrator", "respond-notice", notice, "知悉")
    proof = tmp_path / "截图.png"
    proof.write_bytes(b"x")
    assert "SM3 " in run("integrator", "add-proof", notice, str(proof))
    assert read("integrator", "add-proof", notice, str(proof))["name"] == "截图.png"
    proof.write_bytes(b"x" * ((10 << 20) + 1))
    with pytest.raises(ProofRefused):
        run("integrator", "add-proof", notice, str(proof))
    asked = run(
        "integrator", "petition-notice", notice, "extension", "--days", "2", "--reason", "晚"
    ).split()[0]
    answer = ("decide-petition", notice, asked, "--refuse", "--reason", "来得及")
    assert run("security-admin", *answer) == f"{asked} refused\n"
    run("integrator", "rectify-notice", notice, "已改")
    verified = ("verify-notice", notice, "org_a", "close", "--reason", "属实")
    assert run("auditor", *verified) == f"{notice} org_a 办结\n"
    assert "归档" in run("analyst", "archive-notice", notice)
    assert json.loads(run("analyst", "show-notice", notice))["state"] == "archived"
    assert json.loads(run("integrator", "show-received-notice", notice))["names"]["org_a"]
    file = tmp_path / "notice.pdf"
    run("integrator", "read-notice-file", notice, "-o", str(file))
    assert file.read_bytes().startswith(b"%PDF")
    assert "市数据局" in run("analyst", "score-units", "2026")
    assert read("analyst", "score-units", "2026")["items"][0]["score"] == 1_000
    assert read("integrator", "list-received-notices")["items"] == []


def test_a_draft_is_withdrawn_and_a_wrong_unit_refused(run: Run) -> None:
    notice = run("analyst", *DRAFT).split()[0]
    assert "已撤回" in run("analyst", "withdraw-notice", notice, "--reason", "重复")
    with pytest.raises(NoticeInvalid):
        run("analyst", *DRAFT[:-1], "org_nobody")


def test_warnings_in_force_are_printed_for_everybody_below(run: Run, home: House) -> None:
    work = home.services.notices.warnings
    content = WarningContent("red", "勒索软件", "全市", "断网", START + DAY)
    warning = work.submit_warning(ANALYST, work.draft_warning(ANALYST, content).id)
    work.decide_warning(APPROVER, warning.id, warning.digest, grant=True)
    assert json.loads(run("staff", "warnings-in-force", "--json")) == {"items": []}
    work.issue_warning(ANALYST, warning.id)
    assert "红色预警" in run("staff", "warnings-in-force")
    (seen,) = json.loads(run("staff", "warnings-in-force", "--json"))["items"]
    assert (seen["colour"], seen["issuer"]) == ("red", "本单位")
