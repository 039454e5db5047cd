"""Durable tasks, in memory and over every database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from secops.kernel.errors import Conflict, NotFound
from secops.kernel.jobs import Task
from tests.contracts.conftest import Kit

TASK = Task("task_1", "org_root", "logs.ingest", "queued", 0, 10, 5)


def test_a_task_shows_its_progress(kit: Kit) -> None:
    tasks, transactions = kit.parts.tasks, kit.parts.transactions
    transactions.run(lambda tx: tasks.create(tx, TASK))
    assert transactions.read(lambda tx: tasks.get(tx, "task_1")) == TASK
    later = replace(TASK, state="done", done=10, result="ok")
    transactions.run(lambda tx: tasks.progress(tx, later))
    assert transactions.read(lambda tx: tasks.get(tx, "task_1")) == later


def test_an_unknown_task_is_not_found(kit: Kit) -> None:
    tasks, transactions = kit.parts.tasks, kit.parts.transactions
    with pytest.raises(NotFound):
        transactions.read(lambda tx: tasks.get(tx, "task_2"))
    with pytest.raises(NotFound):
        transactions.run(lambda tx: tasks.progress(tx, TASK))


def test_a_task_is_created_once(kit: Kit) -> None:
    tasks, transactions = kit.parts.tasks, kit.parts.transactions
    transactions.run(lambda tx: tasks.create(tx, TASK))
    with pytest.raises(Conflict):
        transactions.run(lambda tx: tasks.create(tx, TASK))
