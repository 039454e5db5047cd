"""Evidence of an incident: what is kept, who holds it, and whether each chain verifies."""

from __future__ import annotations

import json
from dataclasses import dataclass

from playbooks.models.custody import (
    EVIDENCE_KINDS,
    MAX_EVIDENCE_BYTES,
    NewEvidence,
    VerifiedChain,
)
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.kernel.permissions.playbooks import CUSTODY_HOLD, INCIDENT_CHANGE, INCIDENT_READ
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.routes import Route


@dataclass(frozen=True, slots=True)
class _Evidence:
    desk: Desk

    def show_evidence(self, request: Request) -> Response:
        """Show the items with their chains, verified now."""
        incident_id = request.args["incident_id"]
        caller, services = request.caller, self.desk.parts.playbooks
        view = services.incidents.show_incident(caller, incident_id)
        verdicts = services.custody.verify_custody(caller, incident_id)
        return self.desk.page(
            request,
            "playbooks/evidence.html",
            incident=view.incident,
            work=view.work,
            seen_at=view.seen_at,
            offers={offer.evidence_id: offer for offer in view.work.offers},
            proved={
                item: verdict
                for item, verdict in verdicts.items()
                if isinstance(verdict, VerifiedChain)
            },
            verdicts=verdicts,
            kinds=EVIDENCE_KINDS,
            names={member.account_id: member.name for member in view.work.members},
            me=caller.id,
            may_change=caller.may(INCIDENT_CHANGE),
            may_hold=caller.may(CUSTODY_HOLD),
        )

    def keep_evidence(self, request: Request) -> Response:
        """Keep a chosen file."""
        upload = chosen_file(request, "content", "choose a file")
        form, incident_id = request.form, request.args["incident_id"]
        new = NewEvidence(
            incident_id=incident_id,
            name=form.get("name", "").strip() or upload.filename or "evidence",
            content=upload.content,
            source=form.get("source", ""),
        )
        self.desk.parts.playbooks.locker.keep_evidence(request.caller, new)
        return _back(request)

    def read_evidence(self, request: Request) -> Response:
        """Download an item; it is recorded, so it is asked for by a form."""
        evidence_id = request.form.get("evidence_id", "")
        _, content = self.desk.parts.playbooks.locker.read_evidence(request.caller, evidence_id)
        return file_response(content, "application/octet-stream", f"{evidence_id}.bin")

    def hand_over(self, request: Request) -> Response:
        """Offer, accept, or end an offer."""
        form, custody = request.form, self.desk.parts.playbooks.custody
        evidence_id, act = form.get("evidence_id", ""), form.get("do", "")
        if act == "offer":
            receiver, reason = form.get("receiver", ""), form.get("reason", "")
            custody.offer_evidence(request.caller, evidence_id, receiver=receiver, reason=reason)
        elif act == "accept":
            custody.accept_evidence(request.caller, evidence_id)
        else:
            custody.withdraw_offer(request.caller, evidence_id)
        return _back(request)

    def export_custody(self, request: Request) -> Response:
        """Download all chains, or the public keys that they verify with."""
        incident_id, custody = request.args["incident_id"], self.desk.parts.playbooks.custody
        if request.form.get("what") == "keys":
            pem = custody.custody_keys(request.caller).encode()
            return file_response(pem, "application/x-pem-file", "custody-keys.pem")
        document = custody.export_custody(request.caller, incident_id)
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
        return file_response(content, "application/json", f"{incident_id}-custody.json")


def _back(request: Request) -> Response:
    return redirect(f"/incidents/{request.args['incident_id']}/evidence")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the page."""
    here = _Evidence(desk)
    one = "/incidents/<incident_id>"
    return (
        get_page(f"{one}/evidence", "show_evidence_page", INCIDENT_READ, here.show_evidence),
        post_page(
            f"{one}/evidence",
            "keep_evidence_form",
            INCIDENT_CHANGE,
            here.keep_evidence,
            max_body=MAX_EVIDENCE_BYTES + FRAMING,
        ),
        post_page(
            f"{one}/evidence/content", "read_evidence_form", INCIDENT_READ, here.read_evidence
        ),
        post_page(f"{one}/custody", "hand_over_form", CUSTODY_HOLD, here.hand_over),
        post_page(
            f"{one}/custody-export", "export_custody_form", INCIDENT_READ, here.export_custody
        ),
    )
