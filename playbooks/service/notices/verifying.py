"""复核: another person looks, or runs the detector or control again; and what units asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from playbooks.core.notices import delivery as unit
from playbooks.core.notices import notice as issuer
from playbooks.core.notices.deadlines import rectify_due
from playbooks.core.notices.notice import check_reason
from playbooks.core.notices.workdays import due_after
from playbooks.errors.notices import NoticeNotFound, NoticeStateRefused, RecheckFailed
from playbooks.models.calendars import WorkCalendar
from playbooks.models.notices import PETITION_KINDS, Delivery, Notice, Petition, Recheck
from playbooks.service.notices.desk import NoticeDesk
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import NOTICE_APPROVE, NOTICE_VERIFY
from secops.kernel.transactions import Transaction

Verdict = Literal["close", "return"]


class VerifyingService:
    """What the issuer's 复核人 does, and who decides on petitions."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    def recheck_notice(self, actor: Actor, notice_id: str, unit_id: str) -> Recheck | None:
        """Run what the notice names again, over what came since the rectification.

        None where the notice names nothing. The verifier's own rights are asked.
        """
        self._desk.parts.access.require(actor, NOTICE_VERIFY, f"notice:{notice_id}")
        notice, delivery = self._desk.parts.transactions.read(
            lambda tx: self._loaded(tx, actor, notice_id, unit_id)
        )
        return self._recheck(actor, notice, delivery)

    def verify_notice(
        self, actor: Actor, notice_id: str, unit_id: str, verdict: Verdict, reason: str
    ) -> Delivery:
        """Close a unit's rectification, or return it for another round.

        Raises ``SelfApproval`` and ``OwnNotice`` for whoever acted for the unit by whichever
        account, ``RecheckFailed`` where what was run again still finds the fault.
        """
        self._desk.parts.access.require(actor, NOTICE_VERIFY, f"notice:{notice_id}")
        check_reason(reason)
        calendar = self._desk.calendar()
        with self._desk.refusals("verify_notice", actor, notice_id):
            notice, seen = self._desk.parts.transactions.read(
                lambda tx: self._loaded(tx, actor, notice_id, unit_id)
            )
            recheck = self._recheck(actor, notice, seen)
            if verdict == "close" and recheck is not None and recheck.passed is False:
                raise RecheckFailed(recheck.summary.en)

            def work(tx: Transaction) -> Delivery:
                notice, delivery = self._loaded(tx, actor, notice_id, unit_id)
                if delivery.version != seen.version:
                    msg = "it changed while it was checked"
                    raise NoticeStateRefused(msg)
                self._desk.parts.approvals.require_another(tx, actor, delivery.hands)
                words = "" if recheck is None else recheck.summary.zh
                if verdict == "close":
                    done = unit.verify(delivery, actor.id, tx.now, words)
                else:
                    again = rectify_due(calendar, tx.now, delivery.severity)
                    done = unit.send_back(delivery, actor.id, again, words)
                self._tools.deliveries.change(tx, done)
                self._enter_verdict(tx, actor, notice, done, (verdict, reason.strip(), words))
                self._close_if_done(tx, actor, notice)
                return done

            return self._desk.parts.transactions.run(work)

    def decide_petition(
        self, actor: Actor, notice_id: str, petition_id: str, *, grant: bool, reason: str
    ) -> Petition:
        """Grant or refuse more time or an appeal; nobody decides what they asked for."""
        self._desk.parts.access.require(actor, NOTICE_APPROVE, f"notice:{notice_id}")
        words = check_reason(reason)
        calendar = self._desk.calendar()

        def work(tx: Transaction) -> Petition:
            notice = self._desk.issued_by(tx, actor, notice_id)
            asked = self._petition(tx, notice, petition_id)
            self._desk.parts.approvals.require_another(tx, actor, [asked.requester_id])
            decided = replace(
                asked,
                state="granted" if grant else "refused",
                decided_by=actor.id,
                decided_at=tx.now,
                decision=words,
            )
            self._tools.proofs.decide(tx, decided)
            if grant:
                self._grant(tx, asked, calendar)
            kind = PETITION_KINDS[asked.kind].zh
            text = f"{'同意' if grant else '不同意'}{kind}:{words}"
            entry = ("decide_petition", text)
            self._desk.enter(tx, actor, notice, entry, unit=asked.org_id, kind=asked.kind)
            told = (f"{kind}申请已答复:通报{notice.reference}", text)
            self._desk.tell(tx, asked.org_id, notice, f"decided {asked.id}", told)
            self._close_if_done(tx, actor, notice)
            return decided

        with self._desk.refusals("decide_petition", actor, notice_id):
            return self._desk.parts.transactions.run(work)

    def _petition(self, tx: Transaction, notice: Notice, petition_id: str) -> Petition:
        for petition in self._tools.proofs.petitions(tx, notice.id):
            if petition.id == petition_id:
                return petition
        msg = f"no petition {petition_id[:60]}"
        raise NoticeNotFound(msg)

    def _grant(self, tx: Transaction, asked: Petition, calendar: WorkCalendar) -> None:
        delivery = self._tools.deliveries.get(tx, asked.notice_id, asked.org_id)
        if asked.kind == "appeal":
            changed = unit.end(delivery, "appealed", tx.now)
        else:
            changed = unit.extend(delivery, due_after(calendar, delivery.rectify_due, asked.days))
        self._tools.deliveries.change(tx, changed)

    def _loaded(
        self, tx: Transaction, actor: Actor, notice_id: str, unit_id: str
    ) -> tuple[Notice, Delivery]:
        notice = self._desk.issued_by(tx, actor, notice_id)
        delivery = self._tools.deliveries.get(tx, notice_id, unit_id)
        if delivery.state != "rectified":
            msg = f"it is {delivery.state}: nothing is to be verified"
            raise NoticeStateRefused(msg)
        return notice, delivery

    def _recheck(self, actor: Actor, notice: Notice, delivery: Delivery) -> Recheck | None:
        check, since = notice.content.check, delivery.rectified_at
        if not check or since is None:
            return None
        now = self._desk.parts.clock.now()
        return self._desk.ports.rechecks.recheck(actor, check, since, now)

    def _enter_verdict(
        self,
        tx: Transaction,
        actor: Actor,
        notice: Notice,
        delivery: Delivery,
        said: tuple[Verdict, str, str],
    ) -> None:
        verdict, reason, recheck = said
        what = "复核通过,办结" if verdict == "close" else f"退回(第 {delivery.rounds} 轮)"
        found = f";复测:{recheck}" if recheck else ""
        entry = ("verify_notice", f"{what}:{reason}{found}")
        self._desk.enter(
            tx,
            actor,
            notice,
            entry,
            unit=delivery.org_id,
            verdict=verdict,
            rounds=delivery.rounds,
            check=notice.content.check,
        )
        key = f"verdict {delivery.rounds} {verdict}"
        words = (f"{what}:通报{notice.reference}", reason)
        self._desk.tell(tx, delivery.org_id, notice, key, words)

    def _close_if_done(self, tx: Transaction, actor: Actor, notice: Notice) -> None:
        left = [d for d in self._tools.deliveries.of(tx, notice.id) if d.state != "closed"]
        if left or notice.state != "issued":
            return
        closed = issuer.close(notice, tx.now)
        self._tools.notices.change(tx, closed)
        self._desk.enter(tx, actor, closed, ("close_notice", "全部办结"))
