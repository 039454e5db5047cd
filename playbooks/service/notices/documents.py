"""Notices and early warnings as JSON documents, the same over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from playbooks.models.early_warnings import WARNING_COLOURS, WARNING_STATES, EarlyWarning
from playbooks.models.notices import (
    DELIVERY_STATES,
    NOTICE_STATES,
    SCORE_FORMULA,
    Debt,
    Delivery,
    Notice,
    Petition,
    Proof,
    Recheck,
    Score,
    SealVerdict,
)
from playbooks.service.notices.early_warnings import SeenWarning
from playbooks.service.notices.views import ListedDelivery, NoticeView
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def notice_document(notice: Notice) -> dict[str, Any]:
    """Return a notice as it stands in lists."""
    issue = notice.issue
    return {
        "id": notice.id,
        "org_id": notice.org_id,
        **asdict(notice.content),
        "units": list(notice.content.units),
        "state": notice.state,
        "state_zh": NOTICE_STATES[notice.state].zh,
        "reference": notice.reference,
        "authors": list(notice.authors),
        "approver": notice.approver_id,
        "drafted_at": to_rfc3339(notice.drafted_at),
        "digest": notice.digest,
        "reason": notice.reason,
        "issue": None if issue is None else {**asdict(issue), "at": to_rfc3339(issue.at)},
        "version": notice.version,
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return how a notice stands at a unit."""
    return {
        **asdict(delivery),
        "state_zh": DELIVERY_STATES[delivery.state].zh,
        **{
            name: rfc3339_or_none(getattr(delivery, name))
            for name in (
                "receive_due",
                "rectify_due",
                "verify_due",
                "issued_at",
                "received_at",
                "rectified_at",
                "closed_at",
            )
        },
        "hands": list(delivery.hands),
        "late": list(delivery.late),
        "guessed": list(delivery.guessed),
    }


def notice_view_document(view: NoticeView) -> dict[str, Any]:
    """Return all that the reader may see of a notice."""
    notice = notice_document(view.notice)
    return {
        **notice,
        "units": [unit for unit in notice["units"] if unit in view.names],
        "names": dict(view.names),
        "deliveries": [
            {
                **delivery_document(unit.delivery),
                "name": unit.name,
                "owed": [_debt(debt, view.seen_at) for debt in unit.debts],
                "proofs": [proof_document(proof) for proof in unit.proofs],
            }
            for unit in view.units
        ],
        "petitions": [petition_document(petition) for petition in view.petitions],
        "history": [{**asdict(line), "at": to_rfc3339(line.at)} for line in view.remarks],
    }


def listed_document(listed: ListedDelivery, now: int) -> dict[str, Any]:
    """Return a line of a unit's list."""
    return {
        **delivery_document(listed.delivery),
        "id": listed.notice.id,
        "reference": listed.notice.reference,
        "title": listed.notice.content.title,
        "issuer": listed.issuer,
        "owed": [_debt(debt, now) for debt in listed.debts],
    }


def _debt(debt: Debt, now: int) -> dict[str, Any]:
    return {"what": debt.what, "due": to_rfc3339(debt.due), "overdue": debt.overdue(now)}


def proof_document(proof: Proof) -> dict[str, Any]:
    """Return a proof without its content, or where that lies."""
    shown = {name: value for name, value in asdict(proof).items() if name != "blob"}
    return {**shown, "added_at": to_rfc3339(proof.added_at)}


def petition_document(petition: Petition) -> dict[str, Any]:
    """Return what a unit asked for, and the answer."""
    return {
        **asdict(petition),
        "requested_at": to_rfc3339(petition.requested_at),
        "decided_at": rfc3339_or_none(petition.decided_at),
    }


def recheck_document(recheck: Recheck | None) -> dict[str, Any]:
    """Return what came of running a check again; all null where the notice names none."""
    if recheck is None:
        return {"check": None, "passed": None, "summary": None, "at": None}
    return {
        "check": recheck.check,
        "passed": recheck.passed,
        "summary": recheck.summary.zh,
        "at": to_rfc3339(recheck.at),
    }


def verdict_document(verdict: SealVerdict) -> dict[str, Any]:
    """Return what verifying the seal found."""
    steps = [{"what": what, "zh": said.zh, "en": said.en} for what, said in verdict.steps]
    return {"valid": verdict.valid, "steps": steps}


def scores_document(scores: Sequence[Score], names: Mapping[str, str]) -> dict[str, Any]:
    """Return scores with their formula."""
    items = [{**asdict(score), "name": names[score.org_id]} for score in scores]
    return {"items": items, "formula": {"zh": SCORE_FORMULA.zh, "en": SCORE_FORMULA.en}}


def warning_document(warning: EarlyWarning) -> dict[str, Any]:
    """Return an early warning."""
    content, wanted = warning.content, warning.wanted
    return {
        "id": warning.id,
        "org_id": warning.org_id,
        **asdict(content),
        "ends_at": to_rfc3339(content.ends_at),
        "colour_zh": WARNING_COLOURS[content.colour].zh,
        "state": warning.state,
        "state_zh": WARNING_STATES[warning.state].zh,
        "wanted": None
        if wanted is None
        else {**asdict(wanted), "ends_at": to_rfc3339(wanted.ends_at)},
        "digest": warning.digest,
        "authors": list(warning.authors),
        "approver": warning.approver_id,
        "issued_at": rfc3339_or_none(warning.issued_at),
        "lifted_at": rfc3339_or_none(warning.lifted_at),
        "reason": warning.reason,
        "version": warning.version,
    }


def seen_warning_document(seen: SeenWarning) -> dict[str, Any]:
    """Return a warning in force as everybody below its issuer sees it."""
    whole = warning_document(seen.warning)
    shown = ("id", "colour", "colour_zh", "title", "scope", "measures", "ends_at", "issued_at")
    return {**{name: whole[name] for name in shown}, "issuer": seen.issuer}
