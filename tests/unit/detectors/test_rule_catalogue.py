"""Our own rules as a body: named after the standards, found in the manual, apart by id."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from detectors.commands.files import rule_files, samples_of
from detectors.core.attack import (
    AttackTable,
    Tactic,
    Tagged,
    coverage,
    tactics_of,
    techniques_of,
)
from detectors.core.detection import Detector, detectors_of
from detectors.service.rules.rule_files import compile_rules
from detectors.service.runs.coverage import attack_table
from tests.fakes.detection_house import RULES

ROOT = Path(__file__).resolve().parents[3]
MANUAL = ROOT / "docs" / "manual" / "rules.md"
COUNTED = {"linux", "web", "windows", "database", "platform", "data"}


@pytest.fixture(scope="module")
def detectors() -> tuple[Detector, ...]:
    found, problems = detectors_of(compile_rules(rule_files([RULES])))
    assert problems == ()
    return found


def test_there_are_as_many_rules_as_promised_in_every_domain(
    detectors: tuple[Detector, ...],
) -> None:
    plain = [each for each in detectors if each.correlation is None]
    correlations = [each for each in detectors if each.correlation is not None]
    assert len(plain) >= 80
    assert len(correlations) >= 12
    assert {each.correlation.type for each in correlations if each.correlation} >= {
        "event_count",
        "value_count",
        "value_sum",
        "temporal",
        "temporal_ordered",
        "absence",
        "first_seen",
    }
    assert {Path(each.header.path).parent.name for each in detectors} == COUNTED


def test_every_technique_and_tactic_stands_in_the_table(detectors: tuple[Detector, ...]) -> None:
    table = attack_table()
    slugs = {tactic.slug for tactic in table.tactics}
    for detector in detectors:
        tags = detector.header.tags
        assert techniques_of(tags), detector.header.name
        assert set(techniques_of(tags)) <= set(table.names), detector.header.name
        named = {tag.removeprefix("attack.") for tag in tags} - {
            technique.lower() for technique in techniques_of(tags)
        }
        assert named <= slugs, detector.header.name


def test_the_table_names_no_tactic_that_is_not_a_column() -> None:
    table = attack_table()
    slugs = {tactic.slug for tactic in table.tactics}
    assert {slug for places in table.places.values() for slug in places} <= slugs
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in table.names)
    parents = {technique.partition(".")[0] for technique in table.names}
    assert parents <= set(table.names)


def test_clauses_and_classes_exist_in_the_standards(detectors: tuple[Detector, ...]) -> None:
    classes = json.loads((ROOT / "rules/policies/gbt20986.json").read_text())["classes"]
    subclasses = {sub["code"] for each in classes for sub in each["subclasses"]}
    items = json.loads((ROOT / "rules/controls/gbt22239/items.json").read_text())
    clauses = {item["id"] for item in items}
    for detector in detectors:
        custom = detector.header.custom
        assert custom["gbt20986"] in subclasses, detector.header.name
        assert custom["gbt22239"] in clauses, detector.header.name


def test_every_rule_speaks_both_languages_and_tells_when_it_errs(
    detectors: tuple[Detector, ...],
) -> None:
    for detector in detectors:
        header = detector.header
        assert re.search("[\u4e00-\u9fff]", header.custom["title_zh"]), header.name
        assert header.description, header.name
        assert header.falsepositives, header.name
        assert header.author == "govsecops", header.name
        assert {sample.wanted for sample in samples_of(header.path)} == {"positive", "negative"}


def test_ids_names_and_file_names_are_apart() -> None:
    texts = [path.read_text() for path in sorted(RULES.rglob("*.yml"))]
    ids = [found for text in texts for found in re.findall(r"(?m)^id: (\S+)$", text)]
    names = [found for text in texts for found in re.findall(r"(?m)^name: (\S+)$", text)]
    stems = [path.stem for path in RULES.rglob("*.yml")]
    assert len(ids) == len(set(ids)) == len(names) == len(set(names))
    assert len(stems) == len(set(stems))
    folders = [path for path in RULES.rglob("samples/*") if path.is_dir()]
    assert {folder.name for folder in folders} == set(stems)


def test_the_manual_lists_every_rule_where_it_lies(detectors: tuple[Detector, ...]) -> None:
    listed = dict(re.findall(r"(?m)^\| `([a-z0-9_]+)` \| (\S+) \|", MANUAL.read_text()))
    wanted = {each.header.name: each.header.severity for each in detectors}
    assert listed == wanted


TABLE = AttackTable(
    (
        Tactic("impact", "TA0040", "影响", "Impact"),
        Tactic("execution", "TA0002", "执行", "Execution"),
    ),
    {"T1485": "Data Destruction"},
    {"T1485": ("impact",)},
)


def test_a_technique_stands_under_its_tactic_with_what_runs_and_hits() -> None:
    rules = [
        Tagged("a", ("attack.impact", "attack.execution", "attack.t1485"), enabled=True, hits=3),
        Tagged("b", ("attack.t1485",), enabled=False),
        Tagged("c", ("attack.execution", "attack.T9999.001", "cve.2021-1"), enabled=True),
    ]
    impact, execution = coverage(TABLE, rules)
    assert [(c.technique, c.rules, c.enabled, c.hits) for c in impact.techniques] == [
        ("T1485", 2, 1, 3)
    ]
    # one that the table does not know stands where its rules say
    assert [(c.technique, c.name) for c in execution.techniques] == [("T9999.001", "")]


def test_old_and_new_names_of_tactics_are_understood() -> None:
    assert tactics_of(["attack.impact", "attack.g0001", "other.execution"], TABLE) == {"impact"}
    assert tactics_of(["attack.defense_evasion", "attack.stealth"], attack_table()) == {
        "defense-evasion"
    }
