"""Rule folders of others: taken in within limits, off at first, never altered unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detectors.adapters import rule_folders as disk
from detectors.adapters.rule_folders import LocalRuleFolders
from detectors.errors import RuleFolderNotFound, RuleFolderRefused
from detectors.models.rule_folders import FolderOrder, FolderPolicy, folder_of
from detectors.service.rules.rule_folders import ForeignRules, RuleFolderService
from detectors.service.rules.rules import RuleService
from detectors.service.triage.presentation import folder_report_json
from detectors.store.detectors import DatabaseDetectors
from detectors.store.rule_folders import DatabaseRuleFolders
from secops.adapters.cache_file import CacheFile
from secops.kernel.errors import Forbidden, Invalid
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN, RulesIn, own_rules, person
from tests.fakes.parts import database_spine

ORDER = FolderOrder("theirs", "DRL-1.1", "https://example.invalid")
OWN = "platform_role_changed"


def rule(number: int, status: str = "stable", level: str = "high") -> str:
    return (
        f"title: Rule {number}\nid: 00000000-0000-4000-8000-{number:012d}\nstatus: {status}\n"
        f"level: {level}\nlogsource: {{product: windows}}\n"
        f"detection: {{sel: {{A: {number}}}, condition: sel}}\n"
    )


@dataclass
class House:
    folders: RuleFolderService
    rules: RuleService
    home: Path

    def running(self) -> set[str]:
        return {detector.header.title for detector in self.rules.enabled()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=FakeClock())
    store, files = DatabaseRuleFolders(), LocalRuleFolders(home)
    cache, foreign = CacheFile(home, "installed-rules"), ForeignRules(store, files)
    rules = RuleService(spine.parts, DatabaseDetectors(), own_rules(OWN), cache, foreign)
    yield House(RuleFolderService(spine.parts, store, files), rules, home)
    spine.close()


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    root = tmp_path / "sigma"
    (root / "rules" / "windows").mkdir(parents=True)
    (root / "LICENSE.Detection.Rules.md").write_text("Detection Rule License 1.1")
    (root / "rules" / "windows" / "a.yml").write_text(rule(1))
    (root / "rules" / "windows" / "b.yaml").write_text(rule(2, "experimental", "critical"))
    (root / "rules" / "broken.yml").write_text("title: [\n")
    (root / "rules" / "placeholders.yml").write_text("admins: [root]\n")
    (root / "readme.txt").write_text("not taken")
    (root / ".git").mkdir()
    (root / ".git" / "x.yml").write_text(rule(9))
    return root


def test_an_import_brings_everything_and_switches_nothing_on(house: House, theirs: Path) -> None:
    steps: list[tuple[int, int]] = []
    report = house.folders.import_rules(
        SECURITY_ADMIN, ORDER, theirs, lambda done, total: steps.append((done, total))
    )
    assert report.rules == 2
    assert [p.path for p in report.problems] == ["folder:theirs/rules/broken.yml"]
    assert report.counts == {("stable", "high"): 1, ("experimental", "critical"): 1}
    assert report.chosen(FolderPolicy(("stable", "test"), ("high", "critical"))) == 1
    assert steps == [(4, 4)]
    assert house.running() == set()
    listed = {each.header.title: each.enabled for each in house.rules.list_rules(ANALYST)}
    assert listed["Rule 1"] is False
    document = folder_report_json(report, FolderPolicy(("stable",), ("high",)))
    assert document["would_enable"] == {"statuses": ["stable"], "levels": ["high"], "rules": 1}
    _, notices = house.folders.show_folder(ANALYST, "theirs")
    assert notices == {"LICENSE.Detection.Rules.md": "Detection Rule License 1.1"}


def test_a_policy_switches_rules_on_and_one_rule_s_own_decision_wins(
    house: House, theirs: Path
) -> None:
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    policy = FolderPolicy(("stable", "experimental"), ("high", "critical"))
    assert house.folders.choose_rules(SECURITY_ADMIN, "theirs", policy).policy == policy
    assert house.running() == {"Rule 1", "Rule 2"}
    house.rules.disable_rule(SECURITY_ADMIN, "00000000-0000-4000-8000-000000000001", "noise")
    assert house.running() == {"Rule 2"}
    house.folders.choose_rules(SECURITY_ADMIN, "theirs", FolderPolicy())
    assert house.running() == set()


def test_a_new_import_takes_the_place_of_the_old_one_and_keeps_the_choice(
    house: House, theirs: Path
) -> None:
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    house.folders.choose_rules(SECURITY_ADMIN, "theirs", FolderPolicy(("stable",), ("high",)))
    (theirs / "rules" / "windows" / "a.yml").write_text(rule(3))
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    assert house.running() == {"Rule 3"}
    assert len(list((house.home / "rule-folders").iterdir())) == 1
    again = house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    assert house.running() == {"Rule 3"}
    assert [f.digest for f in house.folders.list_folders(ANALYST)] == [again.folder.digest]


def test_a_removed_folder_is_gone_from_rules_and_disk(house: House, theirs: Path) -> None:
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    with pytest.raises(Invalid):
        house.folders.remove_folder(SECURITY_ADMIN, "theirs", " ")
    house.folders.remove_folder(SECURITY_ADMIN, "theirs", "replaced")
    assert [r.header.name for r in house.rules.list_rules(ANALYST)] == [OWN]
    assert list((house.home / "rule-folders").iterdir()) == []
    for call in (
        lambda: house.folders.remove_folder(SECURITY_ADMIN, "theirs", "again"),
        lambda: house.folders.show_folder(ANALYST, "theirs"),
        lambda: house.folders.choose_rules(SECURITY_ADMIN, "theirs", FolderPolicy()),
    ):
        with pytest.raises(RuleFolderNotFound):
            call()


def test_what_was_altered_since_is_named_and_not_evaluated(house: House, theirs: Path) -> None:
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    house.folders.choose_rules(SECURITY_ADMIN, "theirs", FolderPolicy(("stable",), ("high",)))
    (kept,) = (house.home / "rule-folders").iterdir()
    (kept / "files" / "rules" / "windows" / "a.yml").write_text(rule(1).replace("A: 1", "A: 2"))
    (kept / "files" / "LICENSE.Detection.Rules.md").write_text("do what you like")
    assert house.running() == set()
    altered = [p for p in house.rules.list_problems(ANALYST) if "altered" in p.what]
    assert [p.path for p in altered] == ["folder:theirs/rules/windows/a.yml"]
    assert house.folders.show_folder(ANALYST, "theirs")[1] == {}


def test_a_changed_list_of_files_stops_the_whole_folder(house: House, theirs: Path) -> None:
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    (kept,) = (house.home / "rule-folders").iterdir()
    manifest = kept / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"theirs", b"others"))
    assert [p.path for p in house.rules.list_problems(ANALYST)] == ["folder:theirs/manifest.json"]
    manifest.unlink()
    assert house.folders.show_folder(ANALYST, "theirs")[1] == {}


def test_a_foreign_rule_can_not_take_the_place_of_our_own(house: House, theirs: Path) -> None:
    own = own_rules(OWN).files[0].content
    (theirs / "rules" / "copy.yml").write_bytes(own)
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    listed = [r.header for r in house.rules.list_rules(ANALYST) if r.header.name == OWN]
    assert [folder_of(header.path) for header in listed] == [None]
    assert any("already taken" in p.what for p in house.rules.list_problems(ANALYST))


def link(root: Path) -> None:
    (root / "rules" / "link.yml").symlink_to("/etc/passwd")


def linked_folder(root: Path) -> None:
    (root / "rules" / "up").symlink_to(root)


def large(root: Path) -> None:
    (root / "rules" / "large.yml").write_bytes(b"#" * (disk.MAX_FILE + 1))


def deep(root: Path) -> None:
    inner = root.joinpath(*["d"] * (disk.MAX_DEPTH + 1))
    inner.mkdir(parents=True)


def pipe(root: Path) -> None:
    import os  # noqa: PLC0415 - only here

    os.mkfifo(root / "rules" / "pipe.yml")


@pytest.mark.parametrize("attack", [link, linked_folder, large, deep, pipe])
def test_what_leads_elsewhere_or_passes_a_limit_refuses_the_folder(
    house: House, theirs: Path, attack: object
) -> None:
    assert callable(attack)
    attack(theirs)
    with pytest.raises(RuleFolderRefused):
        house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    assert house.folders.list_folders(ANALYST) == []


def test_too_many_files_refuse_the_folder(
    house: House, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MAX_FILES", 3)
    with pytest.raises(RuleFolderRefused):
        house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)


def test_a_yaml_bomb_costs_one_problem(house: House, theirs: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (theirs / "rules" / "bomb.yml").write_text("\n".join(lines))
    report = house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    assert "folder:theirs/rules/bomb.yml" in {p.path for p in report.problems}
    assert report.rules == 2


def test_orders_that_name_nothing_usable_are_refused(
    house: House, theirs: Path, tmp_path: Path
) -> None:
    for order in (
        FolderOrder("../up", "DRL-1.1"),
        FolderOrder("", "DRL-1.1"),
        FolderOrder("x", " "),
        FolderOrder("x", "DRL\n1.1"),
    ):
        with pytest.raises(Invalid):
            house.folders.import_rules(SECURITY_ADMIN, order, theirs)
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, theirs / "readme.txt"):
        with pytest.raises(RuleFolderRefused):
            house.folders.import_rules(SECURITY_ADMIN, ORDER, path)
    house.folders.import_rules(SECURITY_ADMIN, ORDER, theirs)
    with pytest.raises(Invalid):
        house.folders.choose_rules(SECURITY_ADMIN, "theirs", FolderPolicy(("good",), ()))


def test_only_the_security_administrator_imports_chooses_and_removes(
    house: House, theirs: Path
) -> None:
    for actor in (ANALYST, person("system-admin")):
        for call in (
            lambda actor=actor: house.folders.import_rules(actor, ORDER, theirs),
            lambda actor=actor: house.folders.choose_rules(actor, "theirs", FolderPolicy()),
            lambda actor=actor: house.folders.remove_folder(actor, "theirs", "x"),
        ):
            with pytest.raises(Forbidden):
                call()


def test_without_folders_rules_are_read_once(tmp_path: Path) -> None:
    spine = database_spine(tmp_path, clock=FakeClock())
    source = RulesIn(a=rule(1))
    rules = RuleService(
        spine.parts, DatabaseDetectors(), source, CacheFile(tmp_path, "installed-rules")
    )
    first = rules.library()
    assert rules.library() is first
    spine.close()
