"""HTTP of the register of risks and of scanners' files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.api.bodies import COUNT, FLAG, FRESH, RATING, TEXT, body_of, body_schema, instant_of
from audits.models.risks import FindingFilter, RiskFacts, RiskFilter
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification import RectificationServices
from audits.service.rectification.documents import (
    filled_document,
    finding_document,
    history_document,
    matrix_document,
    risk_document,
    scan_document,
    scope_document,
)
from audits.service.risks.register import NewRisk, Rating, TreatmentPlan
from audits.service.risks.scans import NewScan
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import ACCEPT_RISK, IMPORT_SCAN, MANAGE_RISKS, READ_RISKS
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/risks"
_ONE: Final = f"{_BASE}/<risk_id>"
_SCANS: Final = "/api/v1/audits/scans"
_MAX_SCAN: Final = 21 << 20
_NEW: Final = body_schema(
    "RiskWish",
    ("title", "asset_name", "threat", "weakness", "likelihood", "impact"),
    title=TEXT,
    asset_name=TEXT,
    asset_id=TEXT,
    threat=TEXT,
    weakness=TEXT,
    measures=TEXT,
    likelihood=RATING,
    impact=RATING,
    system=TEXT,
)
_RATING: Final = body_schema(
    "RiskRating",
    ("version", "likelihood", "impact"),
    version=COUNT,
    likelihood=RATING,
    impact=RATING,
    measures=TEXT,
    threat=TEXT,
    weakness=TEXT,
)
_TREATMENT: Final = body_schema(
    "RiskTreatment",
    ("version", "treatment", "plan", "owner", "due"),
    version=COUNT,
    treatment={"enum": ["reduce", "transfer", "avoid"]},
    plan=TEXT,
    owner=TEXT,
    due=TEXT,
    residual_likelihood=RATING,
    residual_impact=RATING,
)
_REASONED: Final = body_schema("RiskReason", ("version", "reason"), version=COUNT, reason=TEXT)
_ASKING: Final = body_schema(
    "RiskAcceptanceWish", ("version", "reason", "until"), version=COUNT, reason=TEXT, until=TEXT
)
_DECISION: Final = body_schema(
    "RiskAcceptanceDecision", ("sha256", "grant"), sha256=TEXT, grant=FLAG, reason=TEXT
)
_RETIREMENT: Final = body_schema(
    "ScanScopeRetirement", ("scope", "reason"), system=TEXT, scope=TEXT, reason=TEXT
)
_FILLING: Final = body_schema("RiskFilling", (), system=TEXT, assessment=TEXT)
_PARTS: Final = frozenset({"format", "scope", "scanned_at", "system"})
_MAPPED: Final = "column."


class _Risks:
    def __init__(self, services: RectificationServices) -> None:
        self._risks, self._acceptance = services.risks, services.acceptance
        self._filling = services.filling
        self._clock = services.risks.desk.parts.clock

    def add_risk(self, request: Request) -> Response:
        body = body_of(request, _NEW)
        facts = RiskFacts(
            body["title"],
            body["asset_name"],
            body["threat"],
            body["weakness"],
            body.get("measures", ""),
            body.get("asset_id", ""),
        )
        new = NewRisk(facts, body["likelihood"], body["impact"], body.get("system", THIS_INSTANCE))
        risk = self._risks.add_risk(request.caller, new)
        return json_response(risk_document(risk, self._clock.now()), 201)

    def rate_risk(self, request: Request) -> Response:
        rating = Rating(**body_of(request, _RATING))
        risk = self._risks.rate_risk(request.caller, request.args["risk_id"], rating)
        return json_response(risk_document(risk, self._clock.now()))

    def treat_risk(self, request: Request) -> Response:
        body = body_of(request, _TREATMENT)
        due_at = instant_of(body.pop("due"), "due")
        plan = TreatmentPlan(due_at=due_at, **body)
        risk = self._risks.treat_risk(request.caller, request.args["risk_id"], plan)
        return json_response(risk_document(risk, self._clock.now()))

    def close_risk(self, request: Request) -> Response:
        body = body_of(request, _REASONED)
        risk = self._risks.close_risk(request.caller, request.args["risk_id"], **body)
        return json_response(risk_document(risk, self._clock.now()))

    def ask_acceptance(self, request: Request) -> Response:
        body = body_of(request, _ASKING)
        risk = self._acceptance.ask_acceptance(
            request.caller,
            request.args["risk_id"],
            body["version"],
            body["reason"],
            instant_of(body["until"], "until"),
        )
        return json_response(risk_document(risk, self._clock.now()))

    def decide_acceptance(self, request: Request) -> Response:
        body = body_of(request, _DECISION)
        risk = self._acceptance.decide_acceptance(
            request.caller,
            request.args["risk_id"],
            body["sha256"],
            grant=body["grant"],
            reason=body.get("reason", ""),
        )
        return json_response(risk_document(risk, self._clock.now()))

    def fill_risks(self, request: Request) -> Response:
        body = body_of(request, _FILLING)
        filled = self._filling.fill_risks(
            request.caller, body.get("system", THIS_INSTANCE), body.get("assessment", "")
        )
        return json_response(filled_document(filled, self._clock.now()))

    def list_risks(self, request: Request) -> Response:
        query, now = request.query, self._clock.now()
        wanted = RiskFilter(query.get("system", ""), query.get("state", ""), _level(query))
        page = self._risks.list_risks(request.caller, wanted, wanted_page(request))
        return page_response(page, lambda risk: risk_document(risk, now))

    def show_risk(self, request: Request) -> Response:
        risk, history = self._risks.show_risk(request.caller, request.args["risk_id"])
        shown = risk_document(risk, self._clock.now())
        return json_response({**shown, "history": history_document(history)})

    def risk_matrix(self, request: Request) -> Response:
        counts = self._risks.risk_matrix(request.caller, request.query.get("system", ""))
        return json_response(matrix_document(counts))


class _Scans:
    def __init__(self, services: RectificationServices) -> None:
        self._scans = services.scans
        self._clock = services.scans.desk.parts.clock

    def import_scan(self, request: Request) -> Response:
        """Read the body as a scanner's file; what it is stands in the query."""
        request.require_length()
        query = request.query
        strange = [n for n in query if n not in _PARTS and not n.startswith(_MAPPED)]
        missing = [n for n in ("format", "scope", "scanned_at") if n not in query]
        if strange or missing:
            raise Invalid(f"{(strange or missing)[0][:60]} is no parameter, or missing")
        mapping = {n.removeprefix(_MAPPED): v for n, v in query.items() if n.startswith(_MAPPED)}
        new = NewScan(
            format=query["format"],
            content=request.body,
            scope=query["scope"],
            scanned_at=instant_of(query["scanned_at"], "scanned_at"),
            system_id=query.get("system", THIS_INSTANCE),
            mapping=mapping,
        )
        scan, doubts = self._scans.import_scan(request.caller, new)
        return json_response(scan_document(scan, doubts), 201)

    def retire_scan_scope(self, request: Request) -> Response:
        body = body_of(request, _RETIREMENT)
        last = self._scans.retire_scan_scope(
            request.caller, body.get("system", THIS_INSTANCE), body["scope"], body["reason"]
        )
        return json_response(scan_document(last))

    def list_scan_scopes(self, request: Request) -> Response:
        found = self._scans.list_scan_scopes(request.caller, request.query.get("system", ""))
        return json_response({"items": [scope_document(scope) for scope in found]})

    def list_scans(self, request: Request) -> Response:
        return page_response(
            self._scans.list_scans(request.caller, wanted_page(request)), scan_document
        )

    def list_findings(self, request: Request) -> Response:
        query, now = request.query, self._clock.now()
        names = ("system", "scope", "state", "severity")
        wanted = FindingFilter(*(query.get(name, "") for name in names))
        page = self._scans.list_findings(request.caller, wanted, wanted_page(request))
        return page_response(page, lambda finding: finding_document(finding, now))


def risk_routes(services: RectificationServices) -> tuple[Route, ...]:
    """Return the routes of the register and of scans."""
    here, scans = _Risks(services), _Scans(services)
    manage, read = MANAGE_RISKS, READ_RISKS
    return (
        named_route("GET", _BASE, read, here.list_risks, listing=True),
        named_route("POST", _BASE, manage, here.add_risk, request=_NEW),
        named_route("GET", f"{_BASE}/matrix", read, here.risk_matrix),
        named_route("POST", f"{_BASE}/filling", manage, here.fill_risks, request=_FILLING),
        named_route("GET", _ONE, read, here.show_risk),
        named_route("POST", f"{_ONE}/rating", manage, here.rate_risk, request=_RATING),
        named_route("POST", f"{_ONE}/treatment", manage, here.treat_risk, request=_TREATMENT),
        named_route("POST", f"{_ONE}/closing", manage, here.close_risk, request=_REASONED),
        named_route("POST", f"{_ONE}/acceptance", manage, here.ask_acceptance, request=_ASKING),
        named_route(
            "POST",
            f"{_ONE}/acceptance/decision",
            ACCEPT_RISK,
            here.decide_acceptance,
            request=_DECISION,
            **FRESH,
        ),
        named_route("GET", _SCANS, read, scans.list_scans, listing=True),
        named_route("POST", _SCANS, IMPORT_SCAN, scans.import_scan, max_body=_MAX_SCAN),
        named_route("GET", f"{_SCANS}/scopes", read, scans.list_scan_scopes),
        named_route(
            "POST",
            f"{_SCANS}/scopes/retirement",
            IMPORT_SCAN,
            scans.retire_scan_scope,
            request=_RETIREMENT,
        ),
        named_route("GET", f"{_SCANS}/findings", read, scans.list_findings, listing=True),
    )


def _level(query: Mapping[str, str]) -> int:
    level = query.get("level", "0")
    if level not in ("0", "1", "2", "3", "4", "5"):
        raise Invalid("a level is from 1 to 5")
    return int(level)
