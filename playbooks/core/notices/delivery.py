"""A notice at one unit: 待签收 → 已签收 → 已反馈 → 已整改 → 办结, or back (退回) for a round.

Being overdue is computed and no state. Whoever acted for the unit does not verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from playbooks.core.notices.notice import check_reason
from playbooks.errors.notices import NoticeStateRefused, OwnNotice
from playbooks.models.calendars import Deadline
from playbooks.models.notices import (
    DELIVERY_STATES,
    OPEN_DELIVERIES,
    Delivery,
    DeliveryState,
    Ending,
)


def receive(delivery: Delivery, hand: str, at: int) -> Delivery:
    """Return it signed for (签收)."""
    _require(delivery, "pending")
    late = ("receive",) if at > delivery.receive_due else ()
    return _next(delivery, hand, state="received", received_at=at, late=(*delivery.late, *late))


def respond(delivery: Delivery, hand: str, text: str) -> Delivery:
    """Return it answered (反馈): what the unit found and will do."""
    _require(delivery, "received")
    return _next(delivery, hand, state="responded", response=check_reason(text))


def rectify(delivery: Delivery, hand: str, text: str, at: int, verify_by: Deadline) -> Delivery:
    """Return it as put right (整改), to be verified by ``verify_by``."""
    _require(delivery, "received", "responded")
    late = (f"rectify-{delivery.rounds}",) if at > delivery.rectify_due else ()
    return _next(
        delivery,
        hand,
        state="rectified",
        rectification=check_reason(text),
        rectified_at=at,
        verify_due=verify_by.at,
        late=(*delivery.late, *late),
        guessed=_years(delivery, verify_by),
    )


def with_hands(delivery: Delivery, hands: Iterable[str]) -> Delivery:
    """Return it with more who acted for the unit: whoever added proof doesn't verify either."""
    return replace(delivery, hands=tuple(dict.fromkeys((*delivery.hands, *hands))))


def verify(delivery: Delivery, verifier: str, at: int, recheck: str) -> Delivery:
    """Return it closed as verified; raise ``OwnNotice`` for whoever acted for the unit."""
    _require_verifier(delivery, verifier)
    late = ("verify",) if delivery.verify_due is not None and at > delivery.verify_due else ()
    done = replace(delivery, verified_by=verifier, recheck=recheck, late=(*delivery.late, *late))
    return end(done, "verified", at)


def send_back(delivery: Delivery, verifier: str, again: Deadline, recheck: str) -> Delivery:
    """Return it to the unit (退回) with a new deadline; that counts a round."""
    _require_verifier(delivery, verifier)
    return replace(
        delivery,
        state="responded",
        rounds=delivery.rounds + 1,
        rectify_due=again.at,
        rectified_at=None,
        verify_due=None,
        recheck=recheck,
        guessed=_years(delivery, again),
        version=delivery.version + 1,
    )


def extend(delivery: Delivery, again: Deadline) -> Delivery:
    """Return it with a later deadline of rectification."""
    _require(delivery, "received", "responded")
    return replace(
        delivery,
        rectify_due=again.at,
        extensions=delivery.extensions + 1,
        guessed=_years(delivery, again),
        version=delivery.version + 1,
    )


def end(delivery: Delivery, ending: Ending, at: int) -> Delivery:
    """Return it closed for the reason ``ending``."""
    _require(delivery, *OPEN_DELIVERIES)
    return replace(
        delivery, state="closed", ending=ending, closed_at=at, version=delivery.version + 1
    )


def _require_verifier(delivery: Delivery, verifier: str) -> None:
    _require(delivery, "rectified")
    if verifier in delivery.hands:
        msg = "whoever acted for the unit does not verify"
        raise OwnNotice(msg)


def _require(delivery: Delivery, *states: DeliveryState) -> None:
    if delivery.state not in states:
        here = DELIVERY_STATES[delivery.state]
        raise NoticeStateRefused(f"it is {here.en} ({here.zh})", state=delivery.state)


def _years(delivery: Delivery, deadline: Deadline) -> tuple[int, ...]:
    return tuple(sorted({*delivery.guessed, *deadline.guessed}))


def _next(delivery: Delivery, hand: str, **changes: object) -> Delivery:
    hands = tuple(dict.fromkeys((*delivery.hands, hand)))
    return replace(delivery, hands=hands, version=delivery.version + 1, **changes)  # type: ignore[arg-type]
