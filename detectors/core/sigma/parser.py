"""Sigma rule files become headers and trees; what can't be understood is refused by name.

pySigma 2 reads values, modifiers and conditions (sigma-specification 2.1.0). Added here:
``utf16le`` and ``any`` (which the specification has and pySigma has not) are read as ``wide``
and as nothing, placeholders stand for lists of values, variants of ``base64offset`` too short
to mean anything are refused, and errors carry a line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaBase64OffsetModifier
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import SigmaExpansion, SigmaString

from detectors.core.correlation.model import Correlation
from detectors.core.correlation.parser import parse_correlation
from detectors.core.sigma.conditions import rule_node
from detectors.core.sigma.documents import BadFile, Document, read_documents
from detectors.core.sigma.policy import QUIET
from detectors.core.sigma.rule import ParsedFile, Rule
from detectors.core.sigma.strings import NO_LISTS, Lists
from detectors.core.sigma.tree import Node
from detectors.core.sigma.values import Unsupported, value_node
from detectors.models.alerts import DRILL
from detectors.models.rules import (
    Logsource,
    RuleFile,
    RuleHeader,
    RuleProblem,
    RuleStatus,
    Severity,
)

_MIN_BASE64: Final = 3
_WORDS: Final[Mapping[str, str]] = {
    "log source": "logsource",
    "is not a level": "level",
    "a title": "title",
    "identifier": "id",
    "documents with": "title",
}
"""What errors about other keys than the detection say."""
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "informational": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}


def parse_file(file: RuleFile, lists: Lists = NO_LISTS) -> ParsedFile:
    """Parse every document of ``file``; never raises for what stands in it.

    ``lists`` are the values that ``%placeholders%`` of ``expand`` stand for.
    """
    rules: list[Rule] = []
    correlations: list[Correlation] = []
    problems: list[RuleProblem] = []
    try:
        documents = read_documents(file.content)
    except BadFile as error:
        return ParsedFile((), (), (RuleProblem(file.path, error.line, str(error)),))
    if not documents:
        problems.append(RuleProblem(file.path, 1, "the file holds no rule"))
    digest = hashlib.sha256(file.content).hexdigest()
    for document in documents:
        version = digest if document.number == 0 else f"{digest}.{document.number}"
        try:
            header = _header(document, file.path, version)
            if "correlation" in document.content:
                correlations.append(parse_correlation(document.content, header))
            else:
                rules.append(Rule(header, _tree(document, lists)))
        except (SigmaError, ValueError, TypeError, AttributeError, KeyError) as error:
            line = _line(document, error, lists)
            identifier = str(document.content.get("id", ""))
            problems.append(RuleProblem(file.path, line, _sentence(error), identifier))
    return ParsedFile(tuple(rules), tuple(correlations), tuple(problems))


def _tree(document: Document, lists: Lists) -> Node:
    rule = SigmaRule.from_dict(_rewritten(document.content), policy=QUIET)
    for detection in rule.detection.detections.values():
        for item in _items(detection):
            _refuse_short_base64(item)
    return rule_node(rule, lists)


def _header(document: Document, path: str, version: str) -> RuleHeader:
    content = document.content
    for unsupported in ("action", "filter"):
        if unsupported in content:
            msg = f"documents with {unsupported!r} are not supported"
            raise Unsupported(msg)
    level = str(content.get("level", "medium"))
    if level not in _SEVERITIES:
        msg = f"{level!r} is not a level"
        raise Unsupported(msg)
    title = content.get("title")
    if not isinstance(title, str) or not title.strip():
        msg = "a rule needs a title"
        raise Unsupported(msg)
    identifier = content.get("id") or content.get("name") or ""
    if str(identifier).startswith(DRILL):
        msg = f"ids that begin with {DRILL} are kept for drills"
        raise Unsupported(msg)
    source = content.get("logsource")
    source = source if isinstance(source, dict) else {}
    return RuleHeader(
        id=str(content.get("id") or content.get("name") or version[:32] + version[64:]),
        title=title,
        severity=_SEVERITIES[level],
        status=cast("RuleStatus", str(content.get("status", "experimental"))),
        version=version,
        path=path,
        line=document.line,
        name=str(content.get("name", "")),
        description=str(content.get("description", "")).strip(),
        author=str(content.get("author", "")),
        logsource=Logsource(*(_text(source.get(k)) for k in ("product", "category", "service"))),
        tags=_texts(content.get("tags")),
        references=_texts(content.get("references")),
        falsepositives=_texts(content.get("falsepositives")),
        custom=_texts_by_name(content.get("custom")),
    )


def _text(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _texts_by_name(value: Any) -> Mapping[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _rewritten(content: Mapping[str, Any]) -> dict[str, Any]:
    detection = content.get("detection")
    if not isinstance(detection, dict):
        return dict(content)
    return {**content, "detection": {k: _known(v) for k, v in detection.items()}}


def _known(value: Any) -> Any:
    """Return a definition in the words that pySigma knows."""
    if isinstance(value, dict):
        return {_known_key(k): _known(v) for k, v in value.items()}
    return [_known(each) for each in value] if isinstance(value, list) else value


def _known_key(key: Any) -> Any:
    if not isinstance(key, str) or "|" not in key:
        return key
    name, *modifiers = key.split("|")
    if "any" in modifiers and "all" in modifiers:
        msg = f"{key}: any and all exclude each other"
        raise Unsupported(msg)
    known = ["wide" if each == "utf16le" else each for each in modifiers if each != "any"]
    return "|".join((name, *known)) if name or known else None


def _items(detection: SigmaDetection) -> Iterator[SigmaDetectionItem]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetectionItem):
            yield item
        else:
            yield from _items(item)


def _refuse_short_base64(item: SigmaDetectionItem) -> None:
    """Refuse what would match nearly everything: one byte has an empty variant."""
    if SigmaBase64OffsetModifier not in item.modifiers:
        return
    for value in item.value:
        variants = value.values if isinstance(value, SigmaExpansion) else [value]
        for variant in variants:
            parts = variant.s if isinstance(variant, SigmaString) else []
            if sum(len(part) for part in parts if isinstance(part, str)) < _MIN_BASE64:
                msg = f"a value of {item.field} is too short for base64offset"
                raise Unsupported(msg)


def _sentence(error: Exception) -> str:
    text = str(error).split(" in rule")[0].strip()
    return " ".join(text.split()) or type(error).__name__


def _line(document: Document, error: Exception, lists: Lists) -> int:
    """Find where the error stands: pySigma does not say, so ask each part by itself."""
    content = document.content
    if "correlation" in content:
        return document.line_of("correlation")
    detection = content.get("detection")
    for name, definition in detection.items() if isinstance(detection, dict) else ():
        if name != "condition":
            place = _failing(definition, ("detection", str(name)), lists)
            if place is not None:
                return document.line_of(*place)
    what = str(error).lower()
    for word, key in _WORDS.items():
        if word in what:
            return document.line_of(key)
    return document.line_of("detection", "condition")


def _failing(
    definition: Any, place: tuple[str | int, ...], lists: Lists
) -> tuple[str | int, ...] | None:
    if isinstance(definition, list) and any(isinstance(each, dict) for each in definition):
        found = (_failing(each, (*place, n), lists) for n, each in enumerate(definition))
        return next((each for each in found if each is not None), None)
    items = definition.items() if isinstance(definition, dict) else [(None, definition)]
    for key, value in items:
        try:
            item = SigmaDetectionItem.from_mapping(_known_key(key), value, policy=QUIET)
            _refuse_short_base64(item)
            for each in item.value:
                value_node(item.field, each, lists)
        except (SigmaError, ValueError, TypeError, AttributeError):
            return place if key is None else (*place, str(key))
    return None
