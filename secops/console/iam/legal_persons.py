"""Legal persons, and the mandates their representatives grant: at the counter and in person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from iam.errors import IdentityInvalid, MandateRefused
from iam.models.accounts import Mandate
from iam.service.people.mandates import MandateService, NewMandate
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, Invalid, NotFound, SecopsError
from secops.kernel.permissions.iam import LEGAL_PERSON_CREATE, MANDATE_GRANT, MANDATE_READ
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("legal representatives see and grant for whom they represent alone")
_COLUMNS: Final = (
    Column("name", N_("名称")),
    Column("code", N_("统一社会信用代码")),
    Column("representative", N_("法定代表人")),
    Column("created", N_("登记时间")),
)
_MANDATES: Final = (
    Column("agent", N_("经办人")),
    Column("scope", N_("授权事项")),
    Column("services", N_("应用")),
    Column("seals", N_("印章")),
    Column("starts", N_("开始")),
    Column("ends", N_("结束")),
)
_REFUSALS: Final = (IdentityInvalid, MandateRefused, Conflict, Invalid, NotFound)


@dataclass(frozen=True, slots=True)
class _LegalPersons:
    desk: Desk

    @property
    def _service(self) -> MandateService:
        return self.desk.parts.iam.power.mandates

    def _names(self, request: Request, ids: Iterable[str | None]) -> dict[str, str]:
        accounts = self.desk.parts.iam.accounts
        return accounts.names_of(request.caller, [each for each in ids if each])

    def list_all(self, request: Request) -> Response:
        """Show the legal persons within reach, and the form that registers one."""
        return self._list(request)

    def _list(self, request: Request, error: SecopsError | None = None) -> Response:
        page = self._service.list_legal_persons(request.caller, wanted_page(request))
        names = self._names(request, [each.representative_id for each in page.items])
        rows = [
            (
                Cell(each.name, href=f"/legal-persons/{each.id}"),
                Cell(each.credit_code),
                Cell(names.get(each.representative_id or "", each.representative_id or "—")),
                Cell("", instant=each.created_at),
            )
            for each in page.items
        ]
        table = Table(N_("法人"), _COLUMNS, rows, page.next, empty=N_("没有登记的法人"))
        return self.desk.list_page(
            request,
            "iam/legal_persons.html",
            table,
            error=error,
            typed=request.form if error else {},
            may_create=request.caller.may(LEGAL_PERSON_CREATE),
            status=error.status if error else 200,
        )

    def create(self, request: Request) -> Response:
        """Register one by its credit code."""
        form = request.form
        try:
            made = self._service.create_legal_person(
                request.caller,
                form.get("credit_code", ""),
                form.get("name", ""),
                form.get("representative", "").strip() or None,
            )
        except _REFUSALS as error:
            return self._list(request, error)
        return redirect(f"/legal-persons/{made.id}")

    def show(self, request: Request) -> Response:
        """Show one with the mandates that hold or will."""
        return self._one(request)

    def _one(self, request: Request, error: SecopsError | None = None) -> Response:
        caller, legal_id = request.caller, request.args["legal_person"]
        legal = self._service.get_legal_person(caller, legal_id)
        mandates = self._service.list_mandates(caller, legal_id)
        agents = [each.agent_id for each in mandates]
        names = self._names(request, [legal.representative_id, *agents])
        return self.desk.list_page(
            request,
            "iam/legal_person.html",
            mandates_table(mandates, names),
            legal=legal,
            mandates=mandates,
            names=names,
            error=error,
            typed=request.form if error else {},
            may_name=caller.may(LEGAL_PERSON_CREATE),
            may_grant=caller.may(MANDATE_GRANT),
            status=error.status if error else 200,
        )

    def represent(self, request: Request) -> Response:
        """Name another legal representative; what the last one granted ends."""
        legal_id, account = request.args["legal_person"], request.form.get("account", "")
        try:
            self._service.set_representative(request.caller, legal_id, account.strip())
        except _REFUSALS as error:
            return self._one(request, error)
        return redirect(f"/legal-persons/{legal_id}")

    def grant(self, request: Request) -> Response:
        """Record a mandate that was signed on paper."""
        legal_id = request.args["legal_person"]
        try:
            self._service.grant_mandate(request.caller, new_mandate(legal_id, request.form))
        except _REFUSALS as error:
            return self._one(request, error)
        return redirect(f"/legal-persons/{legal_id}")

    def revoke(self, request: Request) -> Response:
        """End a mandate."""
        self._service.revoke_mandate(request.caller, request.args["mandate"])
        return redirect(f"/legal-persons/{request.args['legal_person']}")

    # in person

    def own(self, request: Request) -> Response:
        """Show whom the reader represents, and what they granted."""
        return self._own(request)

    def _own(self, request: Request, error: SecopsError | None = None) -> Response:
        represented = self._service.represented(request.caller)
        agents = [each.agent_id for _, mandates in represented for each in mandates]
        return self.desk.page(
            request,
            "iam/own_mandates.html",
            error.status if error else 200,
            represented=represented,
            names=self._names(request, agents),
            error=error,
            typed=request.form if error else {},
        )

    def grant_own(self, request: Request) -> Response:
        """Grant a mandate as the legal representative."""
        legal_id = request.form.get("legal_person", "")
        try:
            self._service.grant_own_mandate(request.caller, new_mandate(legal_id, request.form))
        except _REFUSALS as error:
            return self._own(request, error)
        return redirect("/me/mandates")

    def revoke_own(self, request: Request) -> Response:
        """End a mandate that the reader granted."""
        self._service.revoke_mandate(request.caller, request.args["mandate"])
        return redirect("/me/mandates")


def mandates_table(mandates: Sequence[Mandate], names: Mapping[str, str]) -> Table:
    """Return mandates as a table."""
    rows = [
        (
            Cell(names.get(each.agent_id, each.agent_id)),
            Cell(each.scope),
            Cell("、".join(each.services) or "—"),
            Cell("、".join(each.seals) or "—"),
            Cell("", instant=each.starts_at),
            Cell("", instant=each.ends_at),
        )
        for each in mandates
    ]
    return Table(N_("授权"), _MANDATES, rows, empty=N_("没有有效的授权"))


def new_mandate(legal_id: str, form: Mapping[str, str]) -> NewMandate:
    """Return what a form asks for: whole days in Beijing, the last one included."""
    first, last = local_instant(form.get("from", "")), local_instant(form.get("to", ""))
    if first is None or last is None:
        msg = "a mandate has a first and a last day"
        raise Invalid(msg)
    return NewMandate(
        legal_person_id=legal_id,
        agent=form.get("agent", "").strip(),
        scope=form.get("scope", ""),
        starts_at=first,
        ends_at=last + DAY,
        services=tuple(form.get("services", "").split()),
        seals=tuple(form.get("seals", "").split()),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of legal persons and mandates."""
    here = _LegalPersons(desk)
    one, own = "/legal-persons/<legal_person>", "/me/mandates"
    create, grant = LEGAL_PERSON_CREATE, MANDATE_GRANT
    return (
        get_page("/legal-persons", "show_legal_persons", MANDATE_READ, here.list_all),
        post_page("/legal-persons", "create_legal_person_form", create, here.create, level=2),
        get_page(one, "show_legal_person", MANDATE_READ, here.show),
        post_page(
            f"{one}/representative", "set_representative_form", create, here.represent, level=2
        ),
        post_page(f"{one}/mandates", "grant_mandate_form", grant, here.grant, level=2),
        post_page(
            f"{one}/mandates/<mandate>/revoke", "revoke_mandate_form", grant, here.revoke, level=2
        ),
        get_page(own, "show_own_mandates", _OWN, here.own),
        post_page(own, "grant_own_mandate_form", _OWN, here.grant_own, level=2),
        post_page(f"{own}/<mandate>/revoke", "revoke_own_mandate_form", _OWN, here.revoke_own),
    )
