"""From rule files to compiled rules, through a cache."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import orjson

from detectors.core.correlation.model import Correlation
from detectors.core.sigma.codec import decode_rules, encode_rules
from detectors.core.sigma.compiler import compile_file
from detectors.core.sigma.logsources import Table, read_table
from detectors.core.sigma.rule import CompiledRule
from detectors.core.sigma.rule import RuleSet as RuleSet  # noqa: PLC0414 - for the commands
from detectors.models.rules import RuleFile, RuleHeader, RuleProblem
from detectors.service.rules.rule_stamp import FIELDS, compiler_stamp, digest_of, table_texts

if TYPE_CHECKING:
    from detectors.ports import RuleCache

_MAX_CACHED: Final = 20_000
_EXPAND: Final = b"expand"
PLACEHOLDERS: Final = "placeholders.yml"
"""The file in a rule folder (or home) whose lists ``expand`` reads."""


@lru_cache(maxsize=1)
def known_fields() -> Mapping[str, frozenset[str]]:
    """Return which fields our parsers give, by a condition of the log source table."""
    text = (resources.files("rules") / "logsources" / FIELDS).read_text("utf-8")
    document = tomllib.loads(text)
    groups: Mapping[str, list[str]] = document["fields"]
    return {
        key: frozenset(name for group in names for name in groups[group])
        for key, names in document["known"].items()
    }


@lru_cache(maxsize=1)
def logsource_table() -> tuple[Table, str]:
    """Return the log source table that is part of the product, and its digest."""
    texts = table_texts()
    return read_table(tomllib.loads(text) for text in texts), digest_of(texts)


def compile_rules(files: Iterable[RuleFile], cache: RuleCache | None = None) -> RuleSet:
    """Compile ``files``; every rule refused is among the problems, with path and line.

    Files called ``placeholders.yml`` give the values of ``expand``, for all of them. The cache
    is keyed by each file's SHA-256 (and, where it uses placeholders, theirs), the compiler's
    version and the log source table, so a stale answer is impossible.
    """
    table, _ = logsource_table()
    stamp = compiler_stamp()
    known = _load(cache, stamp)
    fresh: dict[str, Any] = {}
    files, lists, refused = _placeholders(files)
    found: list[RuleSet] = [RuleSet((), problems=refused)]
    seed = orjson.dumps(lists, option=orjson.OPT_SORT_KEYS)
    for file in files:
        key = hashlib.sha256(
            file.content + seed if _EXPAND in file.content else file.content
        ).hexdigest()
        entry = known.get(key)
        if entry is not None:
            found.append(decode_rules(entry, file.path))
            continue
        from detectors.core.sigma.parser import parse_file  # noqa: PLC0415 - pySigma is slow to import

        compiled = compile_file(parse_file(file, lists), table)
        found.append(compiled)
        fresh[key] = encode_rules(compiled)
    if fresh and cache is not None:
        kept = dict(list({**known, **fresh}.items())[-_MAX_CACHED:])
        cache.save(orjson.dumps({"stamp": stamp, "files": kept}))
    return _joined(found)


def _placeholders(
    files: Iterable[RuleFile],
) -> tuple[list[RuleFile], dict[str, tuple[str, ...]], tuple[RuleProblem, ...]]:
    """Return the rule files, the lists in the others, and those that can't be read."""
    rules: list[RuleFile] = []
    lists: dict[str, tuple[str, ...]] = {}
    problems: list[RuleProblem] = []
    for file in files:
        if PurePath(file.path).name != PLACEHOLDERS:
            rules.append(file)
            continue
        from detectors.core.sigma.documents import BadFile, read_lists  # noqa: PLC0415 - slow

        try:
            lists.update(read_lists(file.content))
        except BadFile as error:
            problems.append(RuleProblem(file.path, error.line, str(error)))
    return rules, lists, tuple(problems)


def _load(cache: RuleCache | None, stamp: str) -> dict[str, Any]:
    content = cache.load() if cache is not None else None
    if content is None:
        return {}
    try:
        stored = orjson.loads(content)
        if stored["stamp"] != stamp:
            return {}
        files: dict[str, Any] = stored["files"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return files


def _joined(found: Iterable[RuleSet]) -> RuleSet:
    """Join the sets; of two rules with one id the first counts and the other is named."""
    seen: dict[str, RuleHeader] = {}
    rules: list[CompiledRule] = []
    correlations: list[Correlation] = []
    problems: list[RuleProblem] = []
    for each in found:
        problems.extend(each.problems)
        rules.extend(rule for rule in each.rules if _is_new(rule.header, seen, problems))
        correlations.extend(c for c in each.correlations if _is_new(c.header, seen, problems))
    return RuleSet(tuple(rules), tuple(correlations), tuple(problems))


def _is_new(header: RuleHeader, seen: dict[str, RuleHeader], problems: list[RuleProblem]) -> bool:
    first = seen.setdefault(header.id, header)
    if first is header:
        return True
    what = f"the id {header.id} is already taken by {first.path}:{first.line}"
    problems.append(RuleProblem(header.path, header.line, what, header.id))
    return False
