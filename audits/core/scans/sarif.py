"""SARIF 2.1.0 (OASIS): what failed, where, and how severe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from audits.core.scans.limits import (
    MAX_FILE,
    MAX_FINDINGS,
    MAX_NAME,
    clean,
    keep_gravest,
    severity_of,
    source_mark,
)
from audits.errors.rectification import ScanRejected
from audits.models.risks import ParsedFinding, ParsedScan, Severity
from secops.kernel.catalogue import Text

_VERSION: Final = "2.1.0"
_MAX_RUNS: Final = 50
_FAILING_KINDS: Final = ("fail", "open", "review")
_LEVELS: Final[Mapping[str, Severity]] = {
    "error": "high",
    "warning": "medium",
    "note": "low",
    "none": "info",
}
"""§3.27.10: SARIF's levels; a rule's ``security-severity`` (a CVSS score) counts before it."""


@dataclass(slots=True)
class _Left:
    suppressed: set[str] = field(default_factory=set)
    passed: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Tool:
    """A run's scanner: the rules of its driver and of each extension, and all of them by id."""

    name: str
    driver: Sequence[Mapping[str, Any]]
    extensions: Sequence[Sequence[Mapping[str, Any]]]
    by_id: Mapping[str, Mapping[str, Any]]


def read_sarif(content: bytes) -> ParsedScan:
    """Return the failing results of all runs; raise ``ScanRejected``.

    Left out, and told: suppressed results (§3.27.23), ``baselineState`` absent (§3.27.24), and
    kinds that don't fail (§3.27.9). A run that says it didn't succeed (§3.20.14) is refused:
    what it did not find would count as mended. Suppressed results count as found by none and
    mended by none: ``suppressed`` holds their fingerprints.
    """
    runs = _runs(content)
    left, names = _Left(), list[str]()
    findings: dict[str, ParsedFinding] = {}
    for run in runs:
        tool = _tool(_object(run.get("tool")))
        names.append(tool.name)
        _require_success(run)
        results = _list(run.get("results"))
        if len(results) > MAX_FINDINGS:
            raise ScanRejected(f"a scan has at most {MAX_FINDINGS} findings")
        for result in results:
            finding = _finding(_object(result), tool, left)
            if finding is not None:
                left.repeated += keep_gravest(findings, finding)
    if len(findings) > MAX_FINDINGS:
        raise ScanRejected(f"a scan has at most {MAX_FINDINGS} findings")
    scanner = ", ".join(dict.fromkeys(names))[:MAX_NAME]
    suppressed = frozenset(left.suppressed)
    return ParsedScan(scanner, tuple(findings.values()), _doubts(left), suppressed)


def _runs(content: bytes) -> list[dict[str, Any]]:
    if len(content) > MAX_FILE:
        raise ScanRejected(f"a scanner's file has at most {MAX_FILE} bytes")
    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))  # bounds nesting itself
    except orjson.JSONDecodeError as error:
        raise ScanRejected("the file is not JSON") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ScanRejected(f"the file is not SARIF {_VERSION}")
    runs = [_object(run) for run in _list(document.get("runs"))]
    if not 0 < len(runs) <= _MAX_RUNS:
        raise ScanRejected(f"a file has 1 to {_MAX_RUNS} runs")
    return runs


def _require_success(run: Mapping[str, Any]) -> None:
    for invocation in _list(run.get("invocations")):
        if _object(invocation).get("executionSuccessful") is False:
            raise ScanRejected("a run says that it did not succeed")
    if "results" not in run or run["results"] is None:
        raise ScanRejected("a run has no results: it only collected data (§3.14.23)")


def _tool(told: Mapping[str, Any]) -> _Tool:
    """Return the scanner with its rules (§3.18): extensions bring most rules of some."""
    driver = _object(told.get("driver"))
    extensions = [_rules(_object(each)) for each in _list(told.get("extensions"))]
    by_id: dict[str, Mapping[str, Any]] = {}
    for rule in (rule for rules in (_rules(driver), *extensions) for rule in rules):
        by_id.setdefault(_string(rule.get("id")), rule)
    by_id.pop("", None)
    name = clean(_string(driver.get("name")), MAX_NAME) or "unknown"
    return _Tool(name, _rules(driver), extensions, by_id)


def _rules(component: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_object(rule) for rule in _list(component.get("rules"))]


def _finding(result: Mapping[str, Any], tool: _Tool, left: _Left) -> ParsedFinding | None:
    kind = result.get("kind", "fail")
    if kind not in _FAILING_KINDS or result.get("baselineState") == "absent":
        left.passed += 1
        return None
    rule = _rule(result, tool)
    rule_id = clean(_rule_id(result, rule), MAX_NAME) or "unnamed"
    asset, place = _location(result)
    short = _string(_object(rule.get("shortDescription")).get("text"))
    message = _string(_object(result.get("message")).get("text"))
    marks = _object(result.get("fingerprints")) or _object(result.get("partialFingerprints"))
    known = [f"{name}={_string(value)}" for name, value in sorted(marks.items())]
    mark = source_mark("sarif", tool.name, rule_id, asset, *(known or [place, clean(message)]))
    if _suppressed(result):
        left.suppressed.add(mark)
        return None
    title = clean(short or message, MAX_NAME) or rule_id
    severity = _severity(result, rule)
    return ParsedFinding(rule_id, title, severity, asset, place, clean(message), mark)


def _suppressed(result: Mapping[str, Any]) -> bool:
    """Tell whether all its suppressions are accepted; one that isn't leaves it standing."""
    told = [_object(each).get("status", "accepted") for each in _list(result.get("suppressions"))]
    return bool(told) and all(status == "accepted" for status in told)


def _rule(result: Mapping[str, Any], tool: _Tool) -> Mapping[str, Any]:
    """Return the rule of a result, by component and index or else by id (§3.27.6, §3.52)."""
    reference = _object(result.get("rule"))
    component = _object(reference.get("toolComponent")).get("index")
    rules = tool.driver
    if type(component) is int and component >= 0:
        rules = next(iter(tool.extensions[component : component + 1]), ())
    index = result.get("ruleIndex", reference.get("index", -1))
    if type(index) is int and 0 <= index < len(rules):
        return rules[index]
    return tool.by_id.get(_rule_id(result, {}), {})


def _rule_id(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    told = result.get("ruleId") or _object(result.get("rule")).get("id") or rule.get("id")
    return _string(told)


def _location(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return where: the artefact's URI, and its line; of several locations the first."""
    locations = _list(result.get("locations"))
    physical = _object(_object(locations[0]).get("physicalLocation")) if locations else {}
    address = _object(physical.get("artifactLocation"))
    asset = clean(_string(address.get("uri")), MAX_NAME) or "unknown"
    line = _object(physical.get("region")).get("startLine")
    return asset, str(line) if type(line) is int and line > 0 else ""


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    for holder in (result, rule):
        score = _object(holder.get("properties")).get("security-severity")
        if isinstance(score, (str, int, float)) and not isinstance(score, bool):
            return severity_of(str(score))
    default = _object(rule.get("defaultConfiguration")).get("level", "warning")
    return _LEVELS.get(_string(result.get("level", default)), "medium")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _doubts(left: _Left) -> tuple[Text, ...]:
    told = (
        (
            len(left.suppressed),
            "条被扫描器标为已抑制,未计入,也不视为已消失",
            "results were suppressed: left out, and none counts as gone",
        ),
        (left.passed, "条为通过或已消失,未计入", "results pass or are absent: left out"),
        (left.repeated, "条与其他结果为同一发现,已合并", "results repeat a finding: merged"),
    )
    return tuple(Text(f"{n} {zh}", f"{n} {en}") for n, zh, en in told if n)
