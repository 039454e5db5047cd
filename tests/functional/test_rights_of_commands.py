"""Every command × every role: a command refuses exactly whom the table of rights refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from secops.cli import cli
from secops.kernel.actors import Actor
from secops.kernel.errors import SecopsError
from secops.kernel.permissions import GRANTS, ROLES, Permission
from secops.terminal.session import Session
from tests.fakes.demo_site import DemoSite

REFUSAL = re.compile(r"([a-z_]+(?:\.[a-z_]+)+) needs one of the roles")
PLANES = ("iam", "kms", "logs", "detectors", "playbooks", "audits")
NOT_ASKED = {
    "bench": "needs the home's file permissions",
    "lock": "the pool would stay locked",
    "unlock": "speaks to the running service",
    "status": "speaks to the running service",
    "follow": "runs until it is stopped",
    "enrol": "the enrolment itself is the credential",
}
EITHER = {
    "iam list-client-requests": "iam.client.approve",
    "iam list-resets": "iam.reset.approve",
    "playbooks read-notice-file": "playbooks.notice.read",
}
"""What two rights open: the one a refusal names, and this one."""


@dataclass
class OneHouse:
    """The opened house for many commands: closing it is the fixture's."""

    site: DemoSite

    @property
    def parts(self) -> Any:
        return self.site.house.parts

    @property
    def services(self) -> Any:
        return self.site.house.services

    def act_as(self, account: str | None) -> Actor:
        return self.site.house.act_as(account)

    def note_refusal(self, actor: Actor, error: SecopsError, command: str) -> None:
        """Nothing: the ledger's part is tested where it is written."""

    def close(self) -> None:
        """The house is the fixture's."""


def commands() -> Iterator[tuple[str, click.Command]]:
    for plane in PLANES:
        group = cli.get_command(click.Context(cli), plane)
        assert isinstance(group, click.Group)
        for name, command in sorted(group.commands.items()):
            if isinstance(command, click.Group):
                for inner, leaf in sorted(command.commands.items()):
                    yield f"{plane} {name} {inner}", leaf
            elif name not in NOT_ASKED:
                yield f"{plane} {name}", command


def filled(command: click.Command, folder: Path) -> list[str]:
    """Return arguments of the right form for ``command``, naming nothing that is there."""
    words: list[str] = []
    for parameter in command.params:
        needed = parameter.required or parameter.name in ("output", "due_at")
        if not needed or parameter.name in ("help", "due_at"):
            continue
        value = example(parameter, folder)
        if isinstance(parameter, click.Option):
            words += [parameter.opts[0], value]
        else:
            words.append(value)
    return words


def example(parameter: click.Parameter, folder: Path) -> str:
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return str(next(iter(kind.choices)))
    if isinstance(kind, click.IntRange):
        return str(kind.min or kind.max or 1)
    if kind is click.INT:
        return "1"
    if isinstance(kind, click.Path):
        return example_path(parameter, kind, folder)
    return "2030-01-01T00:00:00Z" if parameter.metavar == "TIME" else "nothing-here"


def example_path(parameter: click.Parameter, kind: click.Path, folder: Path) -> str:
    if parameter.name == "output":
        return str(folder / f"out-{len(list(folder.iterdir()))}")
    path = folder / "given.json"
    path.write_text("{}")
    return str(path if kind.file_okay else folder)


def outcome(site: DemoSite, role: str, command: click.Command, words: list[str]) -> str:
    """Return the permission whose lack refused, or an empty text."""
    session = Session(Path("/nonexistent"), role, lambda _: OneHouse(site))
    result = CliRunner().invoke(command, words, obj=session, input="")
    if isinstance(result.exception, SecopsError):
        found = REFUSAL.search(result.exception.detail)
        return found[1] if found else ""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return ""


@pytest.fixture(scope="module")
def matrix(site: DemoSite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What refused each role at each command."""
    folder = tmp_path_factory.mktemp("given")
    return {
        name: {role: outcome(site, role, command, filled(command, folder)) for role in ROLES}
        for name, command in commands()
    }


def test_each_command_refuses_exactly_whom_the_table_refuses(
    matrix: dict[str, dict[str, str]],
) -> None:
    holders = {grant.permission: grant.roles for grant in GRANTS}
    wrong, cells = [], 0
    for name, row in matrix.items():
        needed = {refused for refused in row.values() if refused}
        for role, refused in row.items():
            cells += 1
            # whoever is let through holds every right that others were refused for
            lacking = {right for right in needed if role not in holders[Permission(right)]}
            if role in holders.get(Permission(EITHER.get(name, "")), ()):
                lacking = set()
            held = refused and role in holders[Permission(refused)]
            if held or (not refused and lacking):
                wrong.append((name, role, refused, lacking))
    print(f"{cells} cells of {len(matrix)} commands")
    assert wrong == []


def test_hardly_a_command_is_for_everybody(matrix: dict[str, dict[str, str]]) -> None:
    open_to_all = {name for name, row in matrix.items() if not any(row.values())}
    print(sorted(open_to_all))
    assert "iam assign-role" not in open_to_all
    assert len(open_to_all) < len(matrix) // 3
