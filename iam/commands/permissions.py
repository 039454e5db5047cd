"""``list-permissions``: the matrix of 三员分立, from the same table that decides."""

from __future__ import annotations

import csv
import sys
from typing import Final

import click

from iam.service import IamServices
from secops.kernel.permissions import ROLES
from secops.terminal.output import print_json, print_table
from secops.terminal.session import session_of


@click.command("list-permissions")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    help="A table to read, JSON, or CSV for the assessor.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def list_permissions(ctx: click.Context, form: str, *, as_json: bool) -> None:
    """List every permission, who holds it, and the clause of GB/T 22239 §8.1.5 it belongs to.

    Example: secops --as audit-admin iam list-permissions --format csv
    """
    session = session_of(ctx)
    rows = session.services(IamServices).power.matrix.list_permissions(session.actor)
    if as_json or form == "json":
        items = [
            {
                "permission": row.permission,
                "title": {"zh": row.title.zh, "en": row.title.en},
                "roles": sorted(row.roles),
                "clauses": list(row.clauses),
            }
            for row in rows
        ]
        print_json({"items": items, "next": None})
        return
    if form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(["permission", "权限", "clauses", *ROLES])
        for row in rows:
            marks = ["1" if role in row.roles else "" for role in ROLES]
            writer.writerow([row.permission, row.title.zh, " ".join(row.clauses), *marks])
        return
    lines = [
        (row.permission, row.title.zh, ", ".join(sorted(row.roles)), *row.clauses[:1])
        for row in rows
    ]
    print_table("三员权限矩阵", ("permission", "权限", "roles", "clause"), lines)


COMMANDS: Final = (list_permissions,)
