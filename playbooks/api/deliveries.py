"""The unit's side of notices over HTTP: receive, respond, prove, put right, ask."""

from __future__ import annotations

from typing import Final

from playbooks.api.notice_schemas import (
    DELIVERY,
    NOTICE,
    PETITION,
    PETITION_NOTICE,
    PROOF,
    VERDICT,
    WITH_TEXT,
)
from playbooks.api.schemas import body_of, page_schema
from playbooks.service import PlaybooksServices
from playbooks.service.notices.deliveries import MAX_PROOF
from playbooks.service.notices.documents import (
    delivery_document,
    listed_document,
    notice_view_document,
    petition_document,
    proof_document,
    verdict_document,
)
from secops.kernel.permissions.playbooks import NOTICE_READ, NOTICE_RECEIVE, NOTICE_RECTIFY
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, SignedIn, named_route

RECEIVED: Final = "/api/v1/playbooks/received-notices"
ONE: Final = f"{RECEIVED}/<notice_id>"
_FILE: Final = "/api/v1/playbooks/notices/<notice_id>"
_BOTH: Final = SignedIn("the issuer's readers and the unit's; the service asks which", NOTICE_READ)


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._notices = services.notices

    def list_received_notices(self, request: Request) -> Response:
        page = self._notices.views.list_deliveries(
            request.caller, request.query.get("state", ""), wanted_page(request)
        )
        now = self._notices.views.now
        return page_response(page, lambda each: listed_document(each, now))

    def show_received_notice(self, request: Request) -> Response:
        view = self._notices.views.show_delivery(request.caller, request.args["notice_id"])
        return json_response(notice_view_document(view))

    def receive_notice(self, request: Request) -> Response:
        delivery = self._notices.deliveries.receive_notice(
            request.caller, request.args["notice_id"]
        )
        return json_response(delivery_document(delivery))

    def respond_notice(self, request: Request) -> Response:
        text = body_of(request, WITH_TEXT)["text"]
        delivery = self._notices.deliveries.respond_notice(
            request.caller, request.args["notice_id"], text
        )
        return json_response(delivery_document(delivery))

    def rectify_notice(self, request: Request) -> Response:
        text = body_of(request, WITH_TEXT)["text"]
        delivery = self._notices.deliveries.rectify_notice(
            request.caller, request.args["notice_id"], text
        )
        return json_response(delivery_document(delivery))

    def add_proof(self, request: Request) -> Response:
        proof = self._notices.deliveries.add_proof(
            request.caller,
            request.args["notice_id"],
            request.query.get("name", ""),
            request.body,
        )
        return json_response(proof_document(proof), 201)

    def petition_notice(self, request: Request) -> Response:
        body = body_of(request, PETITION_NOTICE)
        petition = self._notices.deliveries.petition_notice(
            request.caller,
            request.args["notice_id"],
            body["kind"],
            body["reason"],
            days=body.get("days", 0),
        )
        return json_response(petition_document(petition), 201)

    def read_notice_file(self, request: Request) -> Response:
        notice_id = request.args["notice_id"]
        content = self._notices.issuing.read_notice_file(request.caller, notice_id)
        return file_response(content, "application/pdf", f"{notice_id}.pdf")

    def verify_notice_file(self, request: Request) -> Response:
        found = self._notices.issuing.verify_notice_file(request.caller, request.args["notice_id"])
        return json_response(verdict_document(found))

    def read_proof(self, request: Request) -> Response:
        proof, content = self._notices.views.read_proof(
            request.caller, request.args["notice_id"], request.args["proof_id"]
        )
        return file_response(content, "application/octet-stream", f"{proof.id}.bin")


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of units, and of the files that both sides read."""
    here = _Handlers(services)
    reading = (
        Route(
            method="GET",
            path=RECEIVED,
            operation="list_received_notices",
            access=NOTICE_RECEIVE,
            handler=here.list_received_notices,
            response=page_schema("NoticeDelivery"),
            listing=True,
        ),
        Route(
            method="GET",
            path=ONE,
            operation="show_received_notice",
            access=NOTICE_RECEIVE,
            handler=here.show_received_notice,
            response=NOTICE,
        ),
        Route(
            method="GET",
            path=f"{_FILE}/file",
            operation="read_notice_file",
            access=_BOTH,
            handler=here.read_notice_file,
        ),
        Route(
            method="GET",
            path=f"{_FILE}/seal-verdict",
            operation="verify_notice_file",
            access=_BOTH,
            handler=here.verify_notice_file,
            response=VERDICT,
        ),
        Route(
            method="GET",
            path=f"{_FILE}/proofs/<proof_id>",
            operation="read_proof",
            access=_BOTH,
            handler=here.read_proof,
        ),
    )
    return (*reading, *_changing(here))


def _changing(here: _Handlers) -> tuple[Route, ...]:
    proof = Route(
        method="POST",
        path=f"{ONE}/proofs",
        operation="add_proof",
        access=NOTICE_RECTIFY,
        handler=here.add_proof,
        response=PROOF,
        max_body=MAX_PROOF,
    )
    wanted = (
        ("receipt", NOTICE_RECEIVE, here.receive_notice, None, DELIVERY),
        ("response", NOTICE_RECEIVE, here.respond_notice, WITH_TEXT, DELIVERY),
        ("rectification", NOTICE_RECTIFY, here.rectify_notice, WITH_TEXT, DELIVERY),
        ("petitions", NOTICE_RECEIVE, here.petition_notice, PETITION_NOTICE, PETITION),
    )
    return (
        proof,
        *(
            named_route("POST", f"{ONE}/{word}", access, handler, request=schema, response=answer)
            for word, access, handler, schema, answer in wanted
        ),
    )
