"""Bindings, their answers, counters and switches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from playbooks.errors.bindings import BindingNotFound
from playbooks.models.bindings import (
    Answer,
    AutomaticRun,
    Binding,
    BindingChange,
    Pause,
    read_terms,
    terms_document,
)
from playbooks.store.rows import change_one, fields_of, from_json, insert_once, newest_page, to_json
from playbooks.store.tables import answers, automatic_runs, bindings, budgets, cooldowns, pauses
from secops.kernel.clock import HOUR
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

MAX_BINDINGS: Final = 200
"""Bindings of one organisation that are not withdrawn."""


def _lately(spent: Sequence[int], now: int) -> list[int]:
    """Return the instants of the hour before ``now``; those of a clock set back count as now.

    Any hour is counted, not the clock's: at its edge twice as much would pass.
    """
    return [min(at, now) for at in spent if at > now - HOUR]


def _binding(row: Any) -> Binding:
    values = fields_of(row, "terms", "change")
    del values["change_sha256"]
    change = values["change"]
    if change is not None:
        terms = change["terms"]
        change = BindingChange(**{**change, "terms": None if terms is None else read_terms(terms)})
    return Binding(**{**values, "terms": read_terms(values["terms"]), "change": change})


def _values(binding: Binding) -> dict[str, Any]:
    change = binding.change
    waiting = None
    if change is not None:
        terms = None if change.terms is None else terms_document(change.terms)
        waiting = {**asdict(change), "terms": terms}
    return {
        **asdict(binding),
        "terms": to_json(terms_document(binding.terms)),
        "change": to_json(waiting),
        "change_sha256": "" if change is None else change.sha256,
    }


class Bindings:
    """Implements ``playbooks.ports.bindings.BindingStore``."""

    def add(self, transaction: Transaction, binding: Binding) -> None:
        """Store a new binding."""
        transaction.execute(bindings.insert().values(**_values(binding)))

    def get(self, transaction: Transaction, org_id: str, binding_id: str) -> Binding:
        """Return it; raise ``BindingNotFound``."""
        row = transaction.execute(
            bindings.select().where(bindings.c.org_id == org_id, bindings.c.id == binding_id)
        ).first()
        if row is None:
            msg = f"no binding {binding_id[:60]}"
            raise BindingNotFound(msg)
        return _binding(row)

    def change(self, transaction: Transaction, binding: Binding, *, was: Binding) -> None:
        """Store it if version and waiting change are those of ``was``; raise otherwise."""
        waiting = "" if was.change is None else was.change.sha256
        change_one(
            transaction,
            bindings.update()
            .where(
                bindings.c.org_id == was.org_id,
                bindings.c.id == was.id,
                bindings.c.version == was.version,
                bindings.c.state == was.state,
                bindings.c.change_sha256 == waiting,
            )
            .values(**_values(binding)),
            f"{was.id} was changed meanwhile",
        )

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[Binding]:
        """Return an organisation's bindings, newest first."""
        columns = (bindings.c.proposed_at, bindings.c.id)
        statement = bindings.select().where(bindings.c.org_id == org_id)
        return newest_page(transaction, statement, columns, page, read=_binding)

    def active(self, transaction: Transaction, org_id: str) -> Sequence[Binding]:
        """Return those in force, the oldest first."""
        rows = transaction.execute(
            bindings.select()
            .where(bindings.c.org_id == org_id, bindings.c.state == "active")
            .order_by(bindings.c.id)
            .limit(MAX_BINDINGS)
        )
        return [_binding(row) for row in rows]

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many are not withdrawn."""
        counted = sa.select(sa.func.count()).where(
            bindings.c.org_id == org_id, bindings.c.state != "withdrawn"
        )
        return int(transaction.execute(counted).scalar_one())


class Answers:
    """Implements ``playbooks.ports.bindings.AnswerStore``."""

    def take(self, transaction: Transaction, answer: Answer) -> bool:
        """Keep that a binding answers an alert; False if it did before."""
        if self.is_taken(transaction, answer.binding_id, answer.alert_id):
            return False
        insert_once(transaction, answers, asdict(answer))
        return True

    def settle(self, transaction: Transaction, answer: Answer) -> None:
        """Write down what became of an answer that was taken in this transaction."""
        transaction.execute(
            answers.update()
            .where(answers.c.binding_id == answer.binding_id, answers.c.alert_id == answer.alert_id)
            .values(**asdict(answer))
        )

    def is_taken(self, transaction: Transaction, binding_id: str, alert_id: str) -> bool:
        """Tell whether the binding has answered the alert."""
        found = transaction.execute(
            sa.select(answers.c.at).where(
                answers.c.binding_id == binding_id, answers.c.alert_id == alert_id
            )
        ).first()
        return found is not None

    def of_alert(self, transaction: Transaction, org_id: str, alert_id: str) -> Sequence[Answer]:
        """Return what was answered to an alert."""
        rows = transaction.execute(
            answers.select()
            .where(answers.c.org_id == org_id, answers.c.alert_id == alert_id)
            .order_by(answers.c.binding_id)
            .limit(MAX_BINDINGS)
        )
        return [Answer(**fields_of(row)) for row in rows]

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[Answer]:
        """Return answers, newest first."""
        columns = (answers.c.at, answers.c.binding_id, answers.c.alert_id)
        statement = answers.select().where(answers.c.org_id == org_id)
        if (after := page.key(int, str, str)) is not None:
            statement = statement.where(sa.tuple_(*columns) < sa.tuple_(*after))
        order = [column.desc() for column in columns]
        rows = transaction.execute(statement.order_by(*order).limit(page.limit + 1)).all()
        found = [Answer(**fields_of(row)) for row in rows]
        keys = [(one.at, one.binding_id, one.alert_id) for one in found]
        return page_of(found, page.limit, keys)

    def spend(
        self, transaction: Transaction, org_id: str, budgets_: Sequence[tuple[str, int]]
    ) -> bool:
        """Take one from each of ``budgets_`` (name, runs in any hour), or from none.

        Each is stored if it stands as it was read; raises ``ChangedMeanwhile`` otherwise.
        """
        now, known = transaction.now, self._spent(transaction, org_id, budgets_)
        left = {name: _lately(from_json(known.get(name, "[]")), now) for name, _ in budgets_}
        if any(len(left[name]) >= limit for name, limit in budgets_):
            return False
        for name, _ in budgets_:
            values = {"spent": to_json([*left[name], now]), "last_at": now}
            if name not in known:
                insert_once(transaction, budgets, {"org_id": org_id, "name": name, **values})
                continue
            mine = (budgets.c.org_id == org_id, budgets.c.name == name)
            same = budgets.c.spent == known[name]
            statement = budgets.update().where(*mine, same).values(**values)
            change_one(transaction, statement, "another process spent of the budget")
        return True

    def has_left(
        self, transaction: Transaction, org_id: str, budgets_: Sequence[tuple[str, int]]
    ) -> bool:
        """Tell whether every budget has something left; promises nothing."""
        known, now = self._spent(transaction, org_id, budgets_), transaction.now
        return all(
            len(_lately(from_json(known.get(name, "[]")), now)) < limit for name, limit in budgets_
        )

    @staticmethod
    def _spent(
        transaction: Transaction, org_id: str, budgets_: Sequence[tuple[str, int]]
    ) -> dict[str, str]:
        names = [name for name, _ in budgets_]
        rows = transaction.execute(
            sa.select(budgets.c.name, budgets.c.spent).where(
                budgets.c.org_id == org_id, budgets.c.name.in_(names)
            )
        )
        return {row.name: row.spent for row in rows}

    def rest(self, transaction: Transaction, answer: Answer, entity: str, *, until: int) -> bool:
        """Begin the rest of ``entity`` after this answer; False while one lasts."""
        mine = (cooldowns.c.binding_id == answer.binding_id, cooldowns.c.entity == entity)
        begun = transaction.execute(
            cooldowns.update().where(*mine, cooldowns.c.until <= answer.at).values(until=until)
        )
        if begun.rowcount == 1:
            return True
        if transaction.execute(sa.select(cooldowns.c.until).where(*mine)).first() is not None:
            return False
        row = {"binding_id": answer.binding_id, "entity": entity, "org_id": answer.org_id}
        insert_once(transaction, cooldowns, {**row, "until": until})
        return True

    def forget(self, transaction: Transaction, before: int) -> None:
        """Drop budgets that were last spent of, and rests that ended, before this instant."""
        transaction.execute(budgets.delete().where(budgets.c.last_at < before))
        transaction.execute(cooldowns.delete().where(cooldowns.c.until < before))


class Pauses:
    """Implements ``playbooks.ports.bindings.PauseStore``."""

    def pause(self, transaction: Transaction, org_id: str) -> Pause:
        """Return the switch as it stands."""
        row = transaction.execute(pauses.select().where(pauses.c.org_id == org_id)).first()
        return Pause(org_id, paused=False) if row is None else Pause(**fields_of(row))

    def switch(self, transaction: Transaction, pause: Pause, *, was: Pause) -> None:
        """Set it if it stands as in ``was``; raise ``ChangedMeanwhile``."""
        changed = transaction.execute(
            pauses.update()
            .where(
                pauses.c.org_id == was.org_id,
                pauses.c.paused == was.paused,
                pauses.c.approval_id == was.approval_id,
            )
            .values(**asdict(pause))
        )
        if changed.rowcount != 1:
            insert_once(transaction, pauses, asdict(pause))

    def add(self, transaction: Transaction, run: AutomaticRun) -> None:
        """Keep that a run began unapproved."""
        transaction.execute(automatic_runs.insert().values(**asdict(run)))

    def get(self, transaction: Transaction, org_id: str, run_id: str) -> AutomaticRun | None:
        """Return it, None for a run that people asked for."""
        row = transaction.execute(
            automatic_runs.select().where(
                automatic_runs.c.org_id == org_id, automatic_runs.c.run_id == run_id
            )
        ).first()
        return None if row is None else AutomaticRun(**fields_of(row))

    def decide(self, transaction: Transaction, run: AutomaticRun) -> bool:
        """Settle a waiting run as ``run`` says; False if it was settled before."""
        changed = transaction.execute(
            automatic_runs.update()
            .where(automatic_runs.c.run_id == run.run_id, automatic_runs.c.state == "waiting")
            .values(state=run.state, decided_by=run.decided_by)
        )
        return bool(changed.rowcount == 1)

    def waiting(
        self, transaction: Transaction, org_id: str | None, *, before: int | None, limit: int
    ) -> Sequence[AutomaticRun]:
        """Return waiting runs, those due first; ``before`` leaves out later deadlines."""
        statement = automatic_runs.select().where(automatic_runs.c.state == "waiting")
        if org_id is not None:
            statement = statement.where(automatic_runs.c.org_id == org_id)
        if before is not None:
            statement = statement.where(automatic_runs.c.approve_by <= before)
        order = (automatic_runs.c.approve_by, automatic_runs.c.run_id)
        rows = transaction.execute(statement.order_by(*order).limit(limit))
        return [AutomaticRun(**fields_of(row)) for row in rows]
