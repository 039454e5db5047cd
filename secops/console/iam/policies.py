"""Access policies: what is in force, drafts with a simulator, proposals and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from iam.models.zero_trust import PolicyVersion, Simulation
from iam.service.zero_trust.policies import NewPolicies, PolicyService
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.iam import POLICY_READ, POLICY_WRITE
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

VERSION_STATES: Final = {
    "draft": Text("草案", "draft"),
    "proposed": Text("待审批", "proposed"),
    "active": Text("生效中", "active"),
    "retired": Text("曾生效", "was active"),
    "rejected": Text("已驳回", "rejected"),
}
_COLUMNS: Final = (
    Column("number", N_("版本")),
    Column("title", N_("说明")),
    Column("state", N_("状态")),
    Column("created", N_("创建时间")),
    Column("activated", N_("生效时间")),
)
_CHANGED: Final = (
    Column("subject", N_("主体")),
    Column("permission", N_("操作")),
    Column("kind", N_("资源")),
    Column("before", N_("原判定")),
    Column("after", N_("新判定")),
    Column("count", N_("次数")),
    Column("policies", N_("策略")),
)
_EXAMPLE: Final = files("rules.policies") / "own_example.cedar"


@dataclass(frozen=True, slots=True)
class _Policies:
    desk: Desk

    @property
    def _service(self) -> PolicyService:
        return self.desk.parts.iam.protection.policies

    def list_versions(self, request: Request) -> Response:
        """Show what is in force, what was recorded, and all versions."""
        page = self._service.list_policies(request.caller, wanted_page(request))
        rows = [_row(version, request) for version in page.items]
        table = Table(N_("策略版本"), _COLUMNS, rows, page.next, empty=N_("还没有自有策略"))
        current, titles = self._service.in_force(request.caller)
        return self.desk.list_page(
            request,
            "iam/policies.html",
            table,
            number=current.number,
            digest=current.engine.version,
            titles=titles,
            recorded=self._service.recorded(request.caller),
            may_write=request.caller.may(POLICY_WRITE),
        )

    def begin(self, request: Request) -> Response:
        """Show an empty draft with an example."""
        return self._editor(request, NewPolicies("", _EXAMPLE.read_text(encoding="utf-8")))

    def work_on(self, request: Request) -> Response:
        """Check, try or keep a draft, as the pressed button says."""
        form = request.form
        new = NewPolicies(form.get("title", ""), form.get("policies", ""), form.get("data", ""))
        version, wanted = form.get("version") or None, form.get("do", "")
        if wanted == "keep":
            kept = self._service.draft_policies(request.caller, new, version)
            return redirect(f"/policies/{kept.id}")
        if wanted not in ("check", "try"):
            raise Invalid("a draft is checked, tried or kept")
        found = self._service.check_policies(request.caller, new)
        sound = not any(one.severity == "error" for one in found)
        tried = None
        if sound and wanted == "try":
            tried = self._service.simulate_policies(request.caller, new)
        return self._editor(
            request, new, draft_id=version, checked=True, findings=found, tried=tried
        )

    def _editor(self, request: Request, new: NewPolicies, **more: Any) -> Response:
        tried = more.pop("tried", None)
        context = {"draft_id": None, "checked": False, "findings": (), **more}
        return self.desk.page(
            request,
            "iam/policy_editor.html",
            new=new,
            tried=tried,
            changed=None if tried is None else view_table(request, _changed(tried, request)),
            **context,
        )

    def show_version(self, request: Request) -> Response:
        """Show one version and what the reader may do with it."""
        caller = request.caller
        version = self._service.get_policies(caller, request.args["version"])
        return self._version_page(request, version)

    def _version_page(
        self, request: Request, version: PolicyVersion, error: SecopsError | None = None
    ) -> Response:
        caller = request.caller
        return self.desk.page(
            request,
            "iam/policy.html",
            error.status if error else 200,
            kept=version,
            state=VERSION_STATES[version.state],
            findings=self._service.check_policies(
                caller, NewPolicies(version.title, version.policies, version.data)
            ),
            error=error,
            may_edit=caller.may(POLICY_WRITE) and version.state == "draft",
            may_restore=caller.may(POLICY_WRITE) and version.state == "retired",
        )

    def edit_version(self, request: Request) -> Response:
        """Show a kept draft in the editor."""
        version = self._service.get_policies(request.caller, request.args["version"])
        new = NewPolicies(version.title, version.policies, version.data)
        return self._editor(request, new, draft_id=version.id)

    def move_version(self, request: Request) -> Response:
        """Propose or restore a version."""
        version_id, form = request.args["version"], request.form
        reason = form.get("reason", "")
        if form.get("do") == "propose":
            self._service.propose_policies(request.caller, version_id, reason)
        elif form.get("do") == "restore":
            self._service.restore_policies(request.caller, version_id, reason)
        else:
            raise Invalid("a version is proposed or restored")
        return redirect(f"/policies/{version_id}")


def _row(version: PolicyVersion, request: Request) -> tuple[Cell, ...]:
    state = VERSION_STATES[version.state].into(request.language)
    badges = {"active": "good", "proposed": "warn"}
    return (
        Cell(str(version.number), href=f"/policies/{version.id}", sort=version.number),
        Cell(version.title),
        Cell(state, badge=badges.get(version.state, "info")),
        Cell("", instant=version.created_at),
        Cell("—") if version.activated_at is None else Cell("", instant=version.activated_at),
    )


def _changed(tried: Simulation, request: Request) -> Table:
    allowed = Text("允许", "allowed").into(request.language)
    refused = Text("拒绝", "refused").into(request.language)
    rows = [
        (
            Cell(one.subject),
            Cell(one.permission),
            Cell(one.resource_kind),
            Cell(allowed if one.allowed_before else refused),
            Cell(refused if one.allowed_before else allowed),
            Cell(str(one.count), sort=one.count),
            Cell(" ".join(one.policies)),
        )
        for one in tried.changed
    ]
    return Table(N_("将改变的判定"), _CHANGED, rows, empty=N_("没有判定会改变"))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the policy pages."""
    here = _Policies(desk)
    one = "/policies/<version>"
    return (
        get_page("/policies", "show_policies", POLICY_READ, here.list_versions),
        get_page("/policies/new", "show_policy_editor", POLICY_WRITE, here.begin),
        post_page("/policies/new", "work_on_policies_form", POLICY_WRITE, here.work_on),
        get_page(one, "show_policy_version", POLICY_READ, here.show_version),
        get_page(f"{one}/edit", "edit_policies_page", POLICY_WRITE, here.edit_version),
        post_page(f"{one}/move", "move_policies_form", POLICY_WRITE, here.move_version, level=2),
    )
