"""``secops playbooks check``: over files alone, needs nobody and no home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from secops.terminal.output import json_option, print_json, say

_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@group.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@json_option
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check playbook FILES against CACAO 2.0 and our profile; exit 1 if one has an error.

    A warning (a password in clear, a step this release can't run yet) is printed and does
    not fail the file. Each line names the place as a JSON pointer.

    Example: secops playbooks check rules/playbooks/ssh_brute_force_contain.json
    """
    from playbooks.service.incidents.documents import problem_document  # noqa: PLC0415
    from playbooks.service.playbooks.checking import check_playbook  # noqa: PLC0415 - quick --help

    results: list[dict[str, Any]] = []
    for path in files:
        checked, problems = check_playbook(path.read_bytes())
        results.append(
            {
                "file": str(path),
                "valid": checked is not None,
                "problems": [problem_document(problem) for problem in problems],
            }
        )
    if as_json:
        print_json({"files": results})
    else:
        for result in results:
            _print(result)
    if not all(result["valid"] for result in results):
        ctx.exit(1)


def _print(result: dict[str, Any]) -> None:
    click.echo(f"{result['file']}: {'ok' if result['valid'] else 'invalid'}")
    for problem in result["problems"]:
        detail = f" ({problem['detail']})" if problem["detail"] else ""
        place = problem["place"] or "/"
        say(
            f"  {problem['level']} {problem['code']} {place}: {problem['zh']} · "
            f"{problem['en']}{detail}"
        )
