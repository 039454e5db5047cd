"""Looking at notices: the issuer's register, a unit's own, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from playbooks.core.notices.deadlines import debts_of
from playbooks.core.notices.scoring import Delivered, score_units
from playbooks.core.notices.workdays import end_of
from playbooks.errors.notices import NoticeInvalid, NoticeNotFound
from playbooks.models.notices import (
    DELIVERY_STATES,
    NOTICE_STATES,
    Debt,
    Delivery,
    Notice,
    Petition,
    Proof,
    Remark,
    Score,
)
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.sealed_files import open_file
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND, beijing_day
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import NOTICE_READ, NOTICE_RECEIVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class UnitView:
    """How a notice stands at a unit; ``debts`` are what is owed, the soonest first."""

    delivery: Delivery
    name: str
    debts: tuple[Debt, ...]
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """All of a notice that the reader may see: an issuer everything, a unit its own."""

    notice: Notice
    names: Mapping[str, str]
    units: tuple[UnitView, ...]
    petitions: tuple[Petition, ...]
    remarks: tuple[Remark, ...]
    seen_at: int


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A line of a unit's list."""

    notice: Notice
    delivery: Delivery
    issuer: str
    debts: tuple[Debt, ...]


class NoticeViews:
    """Reads; whoever may not see a notice is not told that there is one."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    @property
    def now(self) -> int:
        """The instant against which what is overdue is computed."""
        return self._desk.parts.clock.now()

    @property
    def year(self) -> int:
        """The year that notices are numbered in now."""
        return beijing_day(self.now).year

    def list_notices(self, actor: Actor, state: str, page: PageRequest) -> Page[Notice]:
        """Return the organisation's own notices, newest first."""
        self._desk.parts.access.require(actor, NOTICE_READ, "notice:*")
        if state and state not in NOTICE_STATES:
            msg = f"a state is {', '.join(NOTICE_STATES)}"
            raise NoticeInvalid(msg)
        return self._desk.parts.transactions.read(
            lambda tx: self._tools.notices.list(tx, actor.org_id, state, page)
        )

    def show_notice(self, actor: Actor, notice_id: str) -> NoticeView:
        """Return an own notice with all its units."""
        self._desk.parts.access.require(actor, NOTICE_READ, f"notice:{notice_id}")

        def read(tx: Transaction) -> tuple[Notice, Sequence[Delivery]]:
            notice = self._desk.issued_by(tx, actor, notice_id)
            return notice, self._tools.deliveries.of(tx, notice_id)

        notice, deliveries = self._desk.parts.transactions.read(read)
        return self._view(notice, deliveries, own=True)

    def list_deliveries(self, actor: Actor, state: str, page: PageRequest) -> Page[ListedDelivery]:
        """Return what the actor's organisation was notified of, newest first."""
        self._desk.parts.access.require(actor, NOTICE_RECEIVE, "notice:*")
        if state and state != "open" and state not in DELIVERY_STATES:
            msg = f"a state is open, {', '.join(DELIVERY_STATES)}"
            raise NoticeInvalid(msg)

        def read(tx: Transaction) -> Page[tuple[Notice, Delivery]]:
            found = self._tools.deliveries.list(tx, actor.org_id, state, page)
            pairs = [(self._tools.notices.get(tx, one.notice_id), one) for one in found.items]
            return Page(pairs, found.next)

        found = self._desk.parts.transactions.read(read)
        names = self._desk.s.unit_names(*{notice.org_id for notice, _ in found.items})
        items = [
            ListedDelivery(notice, delivery, names[notice.org_id], debts_of(delivery))
            for notice, delivery in found.items
        ]
        return Page(items, found.next)

    def show_delivery(self, actor: Actor, notice_id: str) -> NoticeView:
        """Return a notice as the actor's unit sees it: its own part, and nobody else's."""
        self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")

        notice, delivery = self._desk.parts.transactions.read(
            lambda tx: self._desk.delivered_to(tx, actor, notice_id)
        )
        return self._view(notice, [delivery], own=False)

    def read_proof(self, actor: Actor, notice_id: str, proof_id: str) -> tuple[Proof, bytes]:
        """Return a proof's file to its unit and to the issuer's readers."""
        own = actor.may(NOTICE_READ)
        needed = NOTICE_READ if own else NOTICE_RECEIVE
        self._desk.parts.access.require(actor, needed, f"notice:{notice_id}")

        def read(tx: Transaction) -> Proof:
            notice = self._tools.notices.get(tx, notice_id)
            issuer = own and notice.org_id == actor.org_id
            units = notice.content.units if issuer else (actor.org_id,)
            if not issuer:
                self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")
            for unit in units:
                for proof in self._tools.proofs.of(tx, notice_id, unit):
                    if proof.id == proof_id:
                        return proof
            msg = f"no proof {proof_id[:60]}"
            raise NoticeNotFound(msg)

        proof = self._desk.parts.transactions.read(read)
        content = open_file(self._desk.s, proof.id, proof.blob, proof.sm3)
        details = {"proof": proof.id, "file_sha256": proof.sha256}
        act = Act("playbooks.read_proof", actor, f"notice:{notice_id}", details=details)
        self._desk.parts.trail.append([act])
        return proof, content

    def score_units(self, actor: Actor, year: int) -> tuple[Sequence[Score], Mapping[str, str]]:
        """Return 考核 of the units that were notified in ``year``, and their names."""
        self._desk.parts.access.require(actor, NOTICE_READ, "notice:*")
        if year not in _YEARS:
            msg = "a year is 2000 to 2099"
            raise NoticeInvalid(msg)
        since, until = (end_of(date(each, 12, 31)) + SECOND for each in (year - 1, year))

        def read(tx: Transaction) -> list[Delivered]:
            found = self._tools.deliveries.issued_between(tx, actor.org_id, since, until)
            notices = {each.notice_id for each in found}
            checks = {each: self._tools.notices.get(tx, each).content.check for each in notices}
            return [Delivered(each, checks[each.notice_id]) for each in found]

        delivered = self._desk.parts.transactions.read(read)
        scores = score_units(delivered, self._desk.parts.clock.now())
        return scores, self._desk.s.unit_names(*(score.org_id for score in scores))

    def possible_units(self, actor: Actor) -> Mapping[str, str]:
        """Return the names of the units that the actor's organisation can notify, by id."""
        self._desk.parts.access.require(actor, NOTICE_READ, "notice:*")
        units = dict(self._desk.ports.units.below(actor.org_id))
        return {each: name or self._desk.s.options.unit_name for each, name in units.items()}

    def _view(self, notice: Notice, deliveries: Sequence[Delivery], *, own: bool) -> NoticeView:
        seen = [each.org_id for each in deliveries]
        shown = (notice.org_id, *(notice.content.units if own else seen))
        names = self._desk.s.unit_names(*shown)

        def read(tx: Transaction) -> NoticeView:
            petitions = self._tools.proofs.petitions(tx, notice.id)
            remarks = self._tools.remarks.of(tx, notice.id, "" if own else seen[0])
            return NoticeView(
                notice=notice,
                names=names,
                units=tuple(
                    UnitView(
                        each,
                        names[each.org_id],
                        debts_of(each),
                        tuple(self._tools.proofs.of(tx, notice.id, each.org_id)),
                    )
                    for each in deliveries
                ),
                petitions=tuple(each for each in petitions if own or each.org_id in seen),
                remarks=tuple(remarks),
                seen_at=tx.now,
            )

        return self._desk.parts.transactions.read(read)
