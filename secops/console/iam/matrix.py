"""三员 matrix: who may do what, by plane, with the clause of GB/T 22239 §8.1.5."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from secops.console.parts import Desk, get_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.iam import MATRIX_READ
from secops.web.messages import Request, Response
from secops.web.routes import Route

PLANES: Final = {
    "iam": N_("身份与权限"),
    "kms": N_("密钥与印章"),
    "detectors": N_("检测与日志"),
    "playbooks": N_("事件与处置"),
    "audits": N_("审计与合规"),
}


@dataclass(frozen=True, slots=True)
class _Matrix:
    desk: Desk

    def show_matrix(self, request: Request) -> Response:
        """Show every permission against every role; as CSV for the assessor."""
        rows = self.desk.parts.iam.power.matrix.list_permissions(request.caller)
        language = request.language
        columns = (
            Column("permission", N_("权限")),
            Column("clause", N_("条款")),
            *(Column(role, text.into(language)) for role, text in ROLES.items()),
        )
        cells = [
            (
                Cell(f"{row.title.into(language)} {row.permission}"),
                Cell(" ".join(row.clauses)),
                *(Cell("1" if role in row.roles else "") for role in ROLES),
            )
            for row in rows
        ]
        groups = [
            (PLANES.get(plane, plane), list(found))
            for plane, found in groupby(rows, key=lambda row: row.plane)
        ]
        table = Table(N_("三员权限矩阵"), columns, cells)
        return self.desk.list_page(
            request, "iam/permissions.html", table, groups=groups, roles_all=ROLES
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the route of the matrix."""
    return (get_page("/permissions", "show_matrix", MATRIX_READ, _Matrix(desk).show_matrix),)
