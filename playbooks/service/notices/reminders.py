"""催办 and 督办: each stage of each deadline is told once, to the unit and to the issuer."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.core.notices.deadlines import LONGEST_LEAD, debts_of, stage_of
from playbooks.models.notices import OWED, Debt, Delivery
from playbooks.service.notices.desk import NoticeDesk
from secops.kernel.actors import system_actor
from secops.kernel.catalogue import Text
from secops.kernel.transactions import Transaction

_CLERK = system_actor("playbooks-notices")


class ReminderService:
    """Scheduled: looks at all that is open and due soon or over."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    def remind_units(self) -> int:
        """Tell every stage that has come and was not told; return how many.

        What goes wrong with one is raised once all the others were told.
        """
        now, after, told = self._desk.parts.clock.now(), "", 0
        faults: list[Exception] = []
        while found := self._due(now + LONGEST_LEAD, after):
            after = found[-1].notice_id
            for delivery in found:
                try:
                    told += sum(self._remind(delivery, debt, now) for debt in debts_of(delivery))
                except Exception as error:  # noqa: BLE001 - it keeps no other unit waiting
                    faults.append(error)
        if faults:
            raise faults[0]
        return told

    def _due(self, before: int, after: str) -> Sequence[Delivery]:
        return self._desk.parts.transactions.read(
            lambda tx: self._tools.deliveries.due(tx, before, after)
        )

    def _remind(self, delivery: Delivery, debt: Debt, now: int) -> bool:
        stage = stage_of(debt, delivery.issued_at, now)
        if stage is None:
            return False
        key = f"{debt.what} {debt.due} {stage[0]} {delivery.org_id}"
        place = (_owing(delivery, debt), delivery.notice_id)
        if self._desk.parts.transactions.read(lambda tx: self._desk.was_told(tx, place, key)):
            return False

        def work(tx: Transaction) -> bool:
            current = self._tools.deliveries.get(tx, delivery.notice_id, delivery.org_id)
            if debt not in debts_of(current):  # done meanwhile
                return False
            return self._tell(tx, delivery, debt, key, stage[1])

        return self._desk.parts.transactions.run(work)

    def _tell(self, tx: Transaction, delivery: Delivery, debt: Debt, key: str, words: Text) -> bool:
        notice = self._tools.notices.get(tx, delivery.notice_id)
        owed = OWED[debt.what].zh
        told = (f"{words.zh}:{owed} 通报{notice.reference}", notice.content.title)
        owing = _owing(delivery, debt)
        added = self._desk.tell(tx, owing, notice, key, told)
        if added and debt.overdue(tx.now):
            if owing != delivery.issuer_id:
                self._desk.tell(tx, delivery.issuer_id, notice, key, told)
            entry = ("remind_units", f"{words.zh}:{owed}")
            self._desk.enter(
                tx, _CLERK, notice, entry, unit=delivery.org_id, owed=debt.what, due=debt.due
            )
        return added


def _owing(delivery: Delivery, debt: Debt) -> str:
    return delivery.issuer_id if debt.what == "verify" else delivery.org_id
