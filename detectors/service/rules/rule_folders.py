"""Rule folders of others: taken in with their licence, off until somebody chooses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from detectors.core.correlation.model import Correlation
from detectors.core.detection import detectors_of
from detectors.core.sigma.rule import CompiledRule, RuleSet
from detectors.errors import RuleFolderNotFound, RuleFolderRefused
from detectors.models.rule_folders import (
    PREFIX,
    Collected,
    FolderOrder,
    FolderPolicy,
    FolderReport,
    RuleFolder,
)
from detectors.models.rules import SEVERITIES, RuleFile, RuleProblem
from detectors.ports.rule_folders import RuleFolderFiles, RuleFolderStore
from detectors.service.rules.rule_files import PLACEHOLDERS, compile_rules
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_IMPORT, RULE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MAX_LICENCE: Final = 100
_MAX_ORIGIN: Final = 300
_AT_ONCE: Final = 100


Progress = Callable[[int, int], None]
"""Called while an import goes on: so many files are checked, of so many."""


def _silent(_done: int, _total: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class ForeignRules:
    """What rule folders give to the rules of an instance."""

    _store: RuleFolderStore
    _files: RuleFolderFiles

    def folders(self, tx: Transaction) -> Sequence[RuleFolder]:
        """Return the folders by name."""
        return self._store.folders(tx, ROOT_ORG)

    def rule_files(self, folders: Sequence[RuleFolder]) -> list[RuleFile]:
        """Return the files of ``folders``; what was altered has a problem in place of content."""
        return [
            file
            for folder in folders
            for file in self._files.rule_files(folder.name, folder.digest)
        ]


@dataclass(frozen=True, slots=True)
class RuleFolderService:
    """Use cases on rule folders."""

    _parts: Parts
    _store: RuleFolderStore
    _files: RuleFolderFiles

    def import_rules(
        self, actor: Actor, order: FolderOrder, path: Path, progress: Progress = _silent
    ) -> FolderReport:
        """Take a folder in; nothing of it runs until a policy says so.

        A folder of the same name is replaced and keeps its policy. Raises
        ``RuleFolderRefused`` for what breaks a limit and for a folder without any rule.
        """
        self._require_import(actor, order)
        return self._take(actor, order, self._files.collect(path), progress)

    def import_archive(self, actor: Actor, order: FolderOrder, content: bytes) -> FolderReport:
        """Take in a folder that was sent as a zip, as ``import_rules`` takes one on this machine.

        It is read in memory; raises ``RuleFolderRefused`` also for what could lead elsewhere.
        """
        self._require_import(actor, order)
        return self._take(actor, order, self._files.unpack(content), _silent)

    def _require_import(self, actor: Actor, order: FolderOrder) -> None:
        self._parts.access.require(actor, RULE_IMPORT, f"rule_folder:{order.name[:64]}")
        _demand(order)

    def _take(
        self, actor: Actor, order: FolderOrder, collected: Collected, progress: Progress
    ) -> FolderReport:
        compiled, problems = _checked(order.name, collected.files, progress)
        headers = [rule.header for rule in compiled.rules]
        headers += [correlation.header for correlation in compiled.correlations]
        if not headers:
            msg = f"{order.origin or order.name} holds no rule that can be read"
            raise RuleFolderRefused(msg)
        folder = self._keep(actor, order, collected)
        counts: Counter[tuple[str, str]] = Counter((h.status, h.severity) for h in headers)
        return FolderReport(folder, len(headers), counts, tuple(problems))

    def _keep(self, actor: Actor, order: FolderOrder, collected: Collected) -> RuleFolder:
        before = self._find(order.name)
        contents = [file.content for file in collected.files] + [*collected.notices.values()]
        folder = RuleFolder(
            name=order.name,
            licence=order.licence.strip(),
            origin=order.origin[:_MAX_ORIGIN],
            digest=self._files.save(order.name, collected),
            files=len(collected.files),
            size=sum(map(len, contents)),
            imported_by=actor.id,
            imported_at=self._parts.clock.now(),
            policy=before.policy if before is not None else FolderPolicy(),
        )
        details = {
            "licence": folder.licence,
            "sha256": folder.digest,
            "files": folder.files,
            "bytes": folder.size,
        }

        def work(tx: Transaction) -> None:
            self._store.put(tx, ROOT_ORG, folder)
            tx.record(_act("import_rules", actor, order.name, details))

        self._parts.transactions.run(work)
        if before is not None and before.digest != folder.digest:
            self._files.remove(before.name, before.digest)
        return folder

    def list_folders(self, actor: Actor) -> Sequence[RuleFolder]:
        """Return the imported folders by name."""
        self._parts.access.require(actor, RULE_READ)
        return self._parts.transactions.read(lambda tx: self._store.folders(tx, ROOT_ORG))

    def show_folder(self, actor: Actor, name: str) -> tuple[RuleFolder, Mapping[str, str]]:
        """Return a folder and the licence texts that came with it."""
        self._parts.access.require(actor, RULE_READ)
        folder = self._existing(name)
        return folder, self._files.notices(folder.name, folder.digest)

    def choose_rules(self, actor: Actor, name: str, policy: FolderPolicy) -> RuleFolder:
        """Say which rules of a folder run from the next tick on; an empty policy stops all."""
        self._parts.access.require(actor, RULE_ENABLE, f"rule_folder:{name}")
        for word, known in ((policy.statuses, STATUSES), (policy.levels, SEVERITIES)):
            unknown = sorted(set(word) - set(known))
            if unknown:
                msg = f"{unknown[0][:40]!r}: offered are {', '.join(known)}"
                raise Invalid(msg)
        self._existing(name)
        details = {"statuses": list(policy.statuses), "levels": list(policy.levels)}

        def work(tx: Transaction) -> None:
            if not self._store.set_policy(tx, ROOT_ORG, name, policy):
                _missing(name)
            tx.record(_act("choose_rules", actor, name, details))

        self._parts.transactions.run(work)
        return self._existing(name)

    def remove_folder(self, actor: Actor, name: str, reason: str) -> None:
        """Remove a folder; its alerts stay. A reason is demanded, since it blinds."""
        self._parts.access.require(actor, RULE_IMPORT, f"rule_folder:{name}")
        if not reason.strip():
            msg = "removing a rule folder needs a reason"
            raise Invalid(msg)
        folder = self._existing(name)

        def work(tx: Transaction) -> None:
            if not self._store.remove(tx, ROOT_ORG, name):
                _missing(name)
            tx.record(_act("remove_rules", actor, name, {"reason": reason[:500]}))

        self._parts.transactions.run(work)
        self._files.remove(folder.name, folder.digest)

    def _find(self, name: str) -> RuleFolder | None:
        folders = self._parts.transactions.read(lambda tx: self._store.folders(tx, ROOT_ORG))
        return next((folder for folder in folders if folder.name == name), None)

    def _existing(self, name: str) -> RuleFolder:
        return self._find(name) or _missing(name)


def _missing(name: str) -> RuleFolder:
    msg = f"no folder {name[:64]!r} was imported"
    raise RuleFolderNotFound(msg)


def _act(what: str, actor: Actor, name: str, details: Mapping[str, object]) -> Act:
    return Act(f"detectors.{what}", actor, f"rule_folder:{name}", details=details)


def _demand(order: FolderOrder) -> None:
    if _NAME.fullmatch(order.name) is None:
        msg = "a folder's name has small letters, digits, - and _, at most 64"
        raise Invalid(msg)
    licence = order.licence.strip()
    if not licence or len(licence) > _MAX_LICENCE or not licence.isprintable():
        msg = "name the licence of the rules, e.g. DRL-1.1"
        raise Invalid(msg)


def _checked(
    name: str, files: Sequence[RuleFile], progress: Progress
) -> tuple[RuleSet, list[RuleProblem]]:
    """Compile everything once, piece by piece; references are looked up over all of it."""
    rules: list[CompiledRule] = []
    correlations: list[Correlation] = []
    problems: list[RuleProblem] = []
    for first in range(0, len(files), _AT_ONCE):
        piece = [
            RuleFile(f"{PREFIX}{name}/{file.path}", file.content)
            for file in files[first : first + _AT_ONCE]
            if PurePosixPath(file.path).name != PLACEHOLDERS
        ]
        found = compile_rules(piece)
        rules.extend(found.rules)
        correlations.extend(found.correlations)
        problems.extend(found.problems)
        progress(min(first + _AT_ONCE, len(files)), len(files))
    compiled = RuleSet(tuple(rules), tuple(correlations))
    return compiled, [*problems, *detectors_of(compiled)[1]]
