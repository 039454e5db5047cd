"""The stores of notices and early warnings, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playbooks.errors import ChangedMeanwhile
from playbooks.errors.notices import NoticeStateRefused
from playbooks.models.early_warnings import EarlyWarning, WarningContent, WarningState
from playbooks.models.emergency_plans import EmergencyPlan
from playbooks.models.notices import Content, Delivery, Notice, Petition, Remark
from playbooks.store import make_stores
from playbooks.store.deliveries import MAX_PETITIONS, Deliveries, Proofs
from playbooks.store.early_warnings import EarlyWarnings
from playbooks.store.notices import Notices, Remarks
from secops.adapters.spine import Spine
from secops.kernel.transactions import Transaction

CONTENT = Content("弱口令", "请整改", "high", urgent=False, units=("org_b",))
NOTICE = Notice("ntc_1", "org_a", CONTENT, "draft", ("acc_1",), 1, 1)
PETITION = Petition("pet_0", "ntc_1", "org_b", "org_a", "appeal", "x", 0, "acc_2", 1)


def test_numbers_follow_one_another_and_changes_the_version_they_saw(spine: Spine) -> None:
    store = Notices()

    def work(tx: Transaction) -> tuple[object, ...]:
        store.add(tx, NOTICE)
        store.change(tx, replace(NOTICE, version=2, reason="范围"))
        with pytest.raises(ChangedMeanwhile):
            store.change(tx, replace(NOTICE, version=2))
        numbers = [store.next_number(tx, org, 2026) for org in ("org_a", "org_a", "org_b")]
        return store.get(tx, "ntc_1").reason, numbers, store.unissued(tx, "org_a")

    assert spine.parts.transactions.run(work) == ("范围", [1, 2, 1], 1)


def test_a_unit_reads_its_own_lines_and_asks_so_many_times(spine: Spine) -> None:
    proofs, remarks, deliveries = Proofs(), Remarks(), Deliveries()
    delivery = Delivery("ntc_1", "org_b", "org_a", "pending", 10, 30, "high", 1)

    def work(tx: Transaction) -> tuple[object, ...]:
        for unit in ("", "org_b", "org_c"):
            remarks.append(tx, Remark("ntc_1", 0, "org_a", unit, 1, "acc_1", "x", "y"))
        lines = [len(remarks.of(tx, "ntc_1", unit)) for unit in ("", "org_b", "org_d")]
        for number in range(MAX_PETITIONS):
            asked = replace(PETITION, id=f"pet_{number}")
            proofs.ask(tx, asked)
            proofs.decide(tx, replace(asked, state="refused"))
        with pytest.raises(NoticeStateRefused, match="at most"):
            proofs.ask(tx, replace(PETITION, id="pet_z"))
        deliveries.add(tx, delivery)
        due = [len(deliveries.due(tx, before, "")) for before in (10, 11)]
        return lines, due, deliveries.due(tx, 99, "ntc_1")

    assert spine.parts.transactions.run(work) == ([3, 1, 0], [0, 1], [])


def test_what_was_not_issued_or_is_in_force_counts_and_plans_count_once(spine: Spine) -> None:
    store, plans = EarlyWarnings(), make_stores().plans

    def work(tx: Transaction) -> tuple[object, ...]:
        now = tx.now
        stored: tuple[tuple[WarningState, int], ...] = (
            ("draft", 0),
            ("issued", now),
            ("adjusted", now - 1),
            ("lifted", now),
        )
        for number, (state, ends) in enumerate(stored):
            content = WarningContent("red", "x", "y", "z", ends)
            warning = EarlyWarning(f"wrn_{number}", "org_a", content, state, ("acc_1",), 1, 1)
            store.add(tx, warning)
        for version in (1, 2):
            plan = EmergencyPlan(
                "epl_1",
                version,
                "org_a",
                "x",
                "text",
                "y",
                ("MP",),
                (),
                (),
                9,
                "",
                "pending",
                "a",
                1,
            )
            plans.add(tx, plan)
        return (
            store.unfinished(tx, "org_a"),
            store.unfinished(tx, "org_b"),
            plans.count(tx, "org_a"),
            plans.count(tx, "org_b"),
        )

    assert spine.parts.transactions.run(work) == (2, 0, 1, 0)
