"""The rules of this instance: which there are, and which somebody switched on or off."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NoReturn

from detectors.core.detection import Detector, detectors_of
from detectors.errors import RuleNotFound
from detectors.models.alerts import ListedRule, RuleState
from detectors.models.rule_folders import RuleFolder, folder_of
from detectors.models.rules import RuleFile, RuleHeader, RuleProblem
from detectors.ports import DetectorStore, RuleCache, RuleSource
from detectors.service.rules.rule_files import PLACEHOLDERS, compile_rules
from detectors.service.rules.rule_folders import ForeignRules
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ON_BY_THEMSELVES = frozenset({"stable", "test"})
_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Library:
    """The rules as they were last read."""

    detectors: tuple[Detector, ...] = ()
    problems: tuple[RuleProblem, ...] = ()

    def find(self, rule_id: str) -> Detector | None:
        """Return the detector of that id, None where there is none."""
        return next((each for each in self.detectors if each.header.id == rule_id), None)

    def get(self, rule_id: str) -> Detector:
        """Return the detector of that id; raise ``RuleNotFound``."""
        return self.find(rule_id) or _missing(rule_id)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What says which rules run: those there are, and what people decided of them."""

    library: Library
    states: Mapping[str, RuleState]
    folders: Sequence[RuleFolder]

    def is_as(self, other: _Decided) -> bool:
        """Tell whether the same rules run as under ``other``."""
        same = self.library is other.library
        return same and (self.states, self.folders) == (other.states, other.folders)


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    library: Library | None = None
    folders: tuple[tuple[str, str], ...] = ()
    enabled: tuple[_Decided, tuple[Detector, ...]] | None = None


@dataclass(frozen=True, slots=True)
class RuleService:
    """Use cases on rules."""

    _parts: Parts
    _store: DetectorStore
    _source: RuleSource
    _cache: RuleCache
    _foreign: ForeignRules | None = None
    _kept: _Kept = field(default_factory=_Kept)

    def library(self) -> Library:
        """Return this instance's rules; they are read again when a folder comes or goes."""
        return self._library(self._folders())

    def _folders(self) -> Sequence[RuleFolder]:
        foreign = self._foreign
        return [] if foreign is None else self._parts.transactions.read(foreign.folders)

    def _library(self, folders: Sequence[RuleFolder]) -> Library:
        wanted = tuple((folder.name, folder.digest) for folder in folders)
        kept = self._kept
        with kept.lock:
            if kept.library is None or kept.folders != wanted:
                kept.library, kept.folders = self._read(folders), wanted
            return kept.library

    def _read(self, folders: Sequence[RuleFolder]) -> Library:
        own = self._source.rule_files()
        foreign = [] if self._foreign is None else self._foreign.rule_files(folders)
        altered = tuple(RuleProblem(f.path, 1, f.problem) for f in foreign if f.problem)
        # own rules first: of two rules with one id the first counts
        compiled = compile_rules([*own, *filter(_is_evaluated, foreign)], self._cache)
        detectors, problems = detectors_of(compiled)
        return Library(detectors, (*compiled.problems, *problems, *altered))

    def enabled(self) -> tuple[Detector, ...]:
        """Return the detectors that are to run; the same ones while nothing was decided."""

        def read(tx: Transaction) -> tuple[Mapping[str, RuleState], Sequence[RuleFolder]]:
            folders = [] if self._foreign is None else self._foreign.folders(tx)
            return self._store.rule_states(tx, ROOT_ORG), folders

        states, folders = self._parts.transactions.read(read)
        decided = _Decided(self._library(folders), states, folders)
        kept = self._kept.enabled
        if kept is None or not kept[0].is_as(decided):
            kept = self._kept.enabled = (decided, _chosen(decided))
        return kept[1]

    def list_rules(self, actor: Actor) -> Sequence[ListedRule]:
        """Return all rules by title."""
        self._parts.access.require(actor, RULE_READ)
        states = self._parts.transactions.read(lambda tx: self._store.rule_states(tx, ROOT_ORG))
        folders = self._folders()
        by_name = {folder.name: folder for folder in folders}
        headers = (detector.header for detector in self._library(folders).detectors)
        listed = (
            ListedRule(h, _is_enabled(h, states.get(h.id), by_name), states.get(h.id))
            for h in headers
        )
        return sorted(listed, key=lambda rule: (rule.header.title, rule.header.id))

    def show_rule(self, actor: Actor, rule_id: str) -> ListedRule:
        """Return one rule; raise ``RuleNotFound``."""
        return next(
            (rule for rule in self.list_rules(actor) if rule.header.id == rule_id), None
        ) or _missing(rule_id)

    def list_problems(self, actor: Actor) -> Sequence[RuleProblem]:
        """Return why rules of this instance are not running."""
        self._parts.access.require(actor, RULE_READ)
        return self.library().problems

    def enable_rule(self, actor: Actor, rule_id: str, reason: str = "") -> ListedRule:
        """Let a rule run from the next tick on, over all that is stored."""
        return self._decide(actor, rule_id, reason, enabled=True)

    def disable_rule(self, actor: Actor, rule_id: str, reason: str) -> ListedRule:
        """Stop a rule; a reason is demanded, since it blinds the instance to something."""
        if not reason.strip():
            msg = "disabling a rule needs a reason"
            raise Invalid(msg)
        return self._decide(actor, rule_id, reason, enabled=False)

    def _decide(self, actor: Actor, rule_id: str, reason: str, *, enabled: bool) -> ListedRule:
        self._parts.access.require(actor, RULE_ENABLE, f"rule:{rule_id}")
        header = self.library().get(rule_id).header
        action = "detectors.enable_rule" if enabled else "detectors.disable_rule"
        details = {"version": header.version, "reason": reason[:_MAX_REASON]}
        state = RuleState(enabled, actor.id, self._parts.clock.now())

        def work(tx: Transaction) -> None:
            self._store.set_rule_state(tx, ROOT_ORG, rule_id, state)
            tx.record(Act(action, actor, f"rule:{rule_id}", details=details))

        self._parts.transactions.run(work)
        return ListedRule(header, enabled, state)


def _missing(rule_id: str) -> NoReturn:
    msg = f"there is no rule {rule_id[:100]}"
    raise RuleNotFound(msg)


def _chosen(decided: _Decided) -> tuple[Detector, ...]:
    by_name = {folder.name: folder for folder in decided.folders}
    return tuple(
        detector
        for detector in decided.library.detectors
        if _is_enabled(detector.header, decided.states.get(detector.header.id), by_name)
    )


def _is_enabled(
    header: RuleHeader, state: RuleState | None, folders: Mapping[str, RuleFolder]
) -> bool:
    """Stable and tested rules run unless stopped; the others wait for somebody's decision.

    Rules of others run where their folder's policy says so.
    """
    if state is not None:
        return state.enabled
    name = folder_of(header.path)
    if name is None:
        return header.status in _ON_BY_THEMSELVES
    folder = folders.get(name)
    return (
        folder is not None
        and header.status in folder.policy.statuses
        and header.severity in folder.policy.levels
    )


def _is_evaluated(file: RuleFile) -> bool:
    # a folder's lists of placeholders would change what our own rules ask
    return not file.problem and PurePath(file.path).name != PLACEHOLDERS
