"""What is odd about a rule that parses: above all, that it can never fire."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from detectors.core.sigma.derived import source_fields
from detectors.core.sigma.logsources import Alternative, Table, branches
from detectors.core.sigma.rule import CompiledRule
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    And,
    Node,
    Not,
    Or,
    Present,
    Reference,
    fields_of,
)
from detectors.models.rules import RuleProblem

Known = Mapping[str, frozenset[str]]
"""Field names by a condition of the log source table, as ``process.name:sshd``."""


Catalogue = Mapping[tuple[str, str], frozenset[str]]
"""The fields of Windows' own events, by channel and event id."""


def lint_rule(
    rule: CompiledRule, table: Table, known: Known, windows: Catalogue
) -> tuple[RuleProblem, ...]:
    """Return what is odd: fatal only where the rule can never fire for a misspelt name.

    Of Windows' own events more versions exist than a catalogue knows: these are warnings.
    """
    header = rule.header
    alternatives = table.alternatives(header.logsource)
    place = (header.path, header.line)
    if alternatives is None:
        what = f"log source {header.logsource} is not in the table: only event.dataset is asked"
        return (RuleProblem(*place, what, header.id, fatal=False),)
    if not alternatives:
        what = f"can never fire: no log has the events of {header.logsource}"
        return (RuleProblem(*place, what, header.id, fatal=False),)
    names = _known_names(alternatives, known)
    if names is None:
        return _lint_windows(rule, table, alternatives, windows)
    unknown = sorted(fields_of(rule.tree) - names - {KEYWORDS})
    if not unknown:
        return ()
    never = not _possible(rule.tree, names)
    what = f"unknown fields: {', '.join(unknown)}"
    if never:
        what = f"can never fire: {what}"
    return (RuleProblem(*place, what, header.id, fatal=never),)


def _lint_windows(
    rule: CompiledRule, table: Table, alternatives: tuple[Alternative, ...], windows: Catalogue
) -> tuple[RuleProblem, ...]:
    """Warn of fields that none of the rule's catalogued kinds of events has."""
    header = rule.header
    asked = zip(branches(rule.tree, header.logsource, table), alternatives, strict=False)
    kinds = [
        (branch, names)
        for branch, alternative in asked
        if (names := _catalogued(alternative, windows)) is not None
    ]
    if not kinds:
        return ()
    lacking = [_lacking(branch, names) for branch, names in kinds]
    unknown = sorted(frozenset.intersection(*lacking))
    if not unknown:
        return ()
    never = not any(_possible(branch, names | _cases(branch, names)) for branch, names in kinds)
    what = f"fields that no such event of Windows has: {', '.join(unknown)}"
    if never:
        what = f"can never fire on Windows' own events: {what}"
    return (RuleProblem(header.path, header.line, what, header.id, fatal=False),)


def _catalogued(alternative: Alternative, windows: Catalogue) -> frozenset[str] | None:
    """Return what events of this kind carry; None where one of them is not catalogued."""
    when = dict(alternative.when)
    pairs = product(when.get("System.Channel", ()), when.get("System.EventID", ()))
    found = [windows.get(pair) for pair in pairs]
    if not found or None in found:
        return None
    return frozenset().union(*filter(None, found))


def _lacking(branch: Node, names: frozenset[str]) -> frozenset[str]:
    read = {own for name in fields_of(branch) - {KEYWORDS} for own in source_fields(name)}
    return frozenset(read - names - _cases(branch, names))


def _cases(branch: Node, names: frozenset[str]) -> frozenset[str]:
    """Return the fields of ``branch`` that are known, made of known ones or differ by case."""
    plain = {name.lower() for name in names}
    read = {name: source_fields(name) for name in fields_of(branch)}
    return frozenset(
        name
        for field, own in read.items()
        if all(each.lower() in plain for each in own)
        for name in (field, *own)
    )


def _known_names(alternatives: tuple[Alternative, ...], known: Known) -> frozenset[str] | None:
    """Return every name that events of these kinds can have; None where we can't tell."""
    names: set[str] = set()
    for alternative in alternatives:
        keys = [f"{name}:{value}" for name, values in alternative.when for value in values]
        found = [known[key] for key in keys if key in known]
        mine = frozenset().union(*found)
        if not {name for name, _ in alternative.when} <= mine:
            return None  # other parsers or agents write these events
        names |= mine
    return frozenset(names)


def _possible(node: Node, names: frozenset[str]) -> bool:
    """Tell whether ``node`` can hold for an event that has no other fields than ``names``."""
    if isinstance(node, And):
        return all(_possible(child, names) for child in node.children)
    if isinstance(node, Or):
        return any(_possible(child, names) for child in node.children)
    if isinstance(node, Not):
        return not _certain(node.child, names)
    if isinstance(node, Reference) and node.other not in names:
        return False
    return node.field in names or node.field == KEYWORDS or isinstance(node, Absent)


def _certain(node: Node, names: frozenset[str]) -> bool:
    """Tell whether ``node`` holds for every such event."""
    if isinstance(node, And):
        return all(_certain(child, names) for child in node.children)
    if isinstance(node, Or):
        return any(_certain(child, names) for child in node.children)
    if isinstance(node, Not):
        return not _possible(node.child, names)
    if isinstance(node, Present):
        return False
    return isinstance(node, Absent) and node.field not in names
