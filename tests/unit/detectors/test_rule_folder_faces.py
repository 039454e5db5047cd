"""Rule folders on the command line and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from detectors.adapters.rule_folders import LocalRuleFolders
from detectors.api.rule_folders import rule_folder_routes
from detectors.commands.detectors import group
from detectors.service import DetectorsServices
from detectors.service.rules.rule_folders import RuleFolderService
from detectors.store.rule_folders import DatabaseRuleFolders
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN
from tests.fakes.parts import database_spine

RULE = (
    "title: Foreign\nid: 00000000-0000-4000-8000-000000000001\nstatus: stable\nlevel: high\n"
    "logsource: {product: windows}\ndetection: {sel: {A: 1}, condition: sel}\n"
)
Run = Callable[..., Result]


@dataclass
class Opened:
    spine: Spine
    folders: RuleFolderService
    actors: dict[str, Actor] = field(
        default_factory=lambda: {"analyst": ANALYST, "security-admin": SECURITY_ADMIN}
    )

    @property
    def parts(self) -> Parts:
        return self.spine.parts

    @property
    def services(self) -> tuple[object, ...]:
        missing: dict[str, Any] = {each.name: None for each in fields(DetectorsServices)}
        return (DetectorsServices(**{**missing, "rule_folders": self.folders}),)

    def act_as(self, account: str | None) -> Actor:
        return self.actors[account or "analyst"]

    def note_refusal(self, *_: object) -> None:
        return

    def close(self) -> None:
        return


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=FakeClock())
    yield Opened(
        spine, RuleFolderService(spine.parts, DatabaseRuleFolders(), LocalRuleFolders(home))
    )
    spine.close()


@pytest.fixture
def run(opened: Opened, tmp_path: Path) -> Run:
    def invoked(*arguments: str, actor: str = "security-admin") -> Result:
        session = Session(tmp_path / "home", actor, lambda _: opened)
        result = CliRunner().invoke(group, list(arguments), obj=session, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return invoked


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "Theirs"
    folder.mkdir()
    (folder / "LICENSE").write_text("DRL 1.1")
    (folder / "a.yml").write_text(RULE)
    for number in range(25):
        (folder / f"broken{number}.yml").write_text("title: [\n")
    return folder


def test_an_import_tells_what_it_refused_and_what_it_would_enable(run: Run, theirs: Path) -> None:
    told = run("import-rules", str(theirs), "--licence", "DRL-1.1")
    assert told.stdout == (
        "theirs: files 26 rules 1 refused 25 enabled 0 would enable 1 "
        "(stable+test; high+critical)\n"
    )
    assert told.stderr.count("refused folder:theirs/") == 20
    assert "and 5 more" in told.stderr
    report = json.loads(
        run("import-rules", str(theirs), "--licence", "x", "--level", "low", "--json").stdout
    )
    assert report["would_enable"] == {
        "statuses": ["stable", "test"],
        "levels": ["low"],
        "rules": 0,
    }
    assert report["counts"] == [{"status": "stable", "level": "high", "rules": 1}]
    assert len(report["refused"]) == 25


def test_a_folder_is_listed_chosen_from_and_removed(run: Run, theirs: Path) -> None:
    run("import-rules", str(theirs), "--licence", "DRL-1.1", "--name", "sigma")
    assert "sigma" in run("list-rule-folders", actor="analyst").stdout
    chosen = ("enable-rule-folder", "sigma", "--status", "stable, test", "--level", "high")
    assert "stable, test" in run(*chosen).stdout
    (listed,) = json.loads(run("list-rule-folders", "--json").stdout)["items"]
    assert (listed["statuses"], listed["levels"]) == (["stable", "test"], ["high"])
    stopped = json.loads(run("enable-rule-folder", "sigma", "--json").stdout)
    assert (stopped["statuses"], stopped["levels"]) == ([], [])
    with pytest.raises(Forbidden):
        run("remove-rule-folder", "sigma", "--reason", "x", actor="analyst")
    assert run("remove-rule-folder", "sigma", "--reason", "old").stdout == "sigma: removed\n"
    assert json.loads(run("list-rule-folders", "--json").stdout)["items"] == []


def ask(opened: Opened, operation: str, body: object = None, name: str = "sigma") -> Any:
    (route,) = (r for r in rule_folder_routes(opened.folders) if r.operation == operation)
    request = Request(
        method=route.method,
        path=route.path,
        args={"name": name},
        body=b"" if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        actor=SECURITY_ADMIN,
    )
    return json.loads(route.handler(request).body)


def test_http_lists_shows_chooses_and_removes(run: Run, opened: Opened, theirs: Path) -> None:
    run("import-rules", str(theirs), "--licence", "DRL-1.1", "--name", "sigma")
    assert [each["name"] for each in ask(opened, "list_rule_folders")["items"]] == ["sigma"]
    assert ask(opened, "show_rule_folder")["notices"] == {"LICENSE": "DRL 1.1"}
    policy = {"statuses": ["stable"], "levels": ["high"]}
    assert ask(opened, "choose_rules", policy)["levels"] == ["high"]
    for bad in ({"statuses": "stable", "levels": []}, {"statuses": [1], "levels": []}):
        with pytest.raises(Invalid):
            ask(opened, "choose_rules", bad)
    with pytest.raises(Invalid):
        ask(opened, "remove_rule_folder", {"reason": 1})
    assert ask(opened, "remove_rule_folder", {"reason": "old"}) == {
        "name": "sigma",
        "removed": True,
    }
