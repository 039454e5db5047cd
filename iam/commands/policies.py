"""Access policies: ``check-policies``, ``simulate-policies``, ``draft-policies``, and so on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from iam.models.zero_trust import Finding, PolicyVersion, Simulation
from iam.service import IamServices
from iam.service.zero_trust.policies import NewPolicies, PolicyService
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_list, print_table, say
from secops.terminal.session import session_of

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_data = click.option("--data", type=_FILE, help="The tables policies speak of (TOML).")
_reason = click.option("--reason", default="", help="For the approver and the ledger.")


def _texts(title: str, file: Path, data: Path | None) -> NewPolicies:
    try:
        tables = "" if data is None else data.read_text(encoding="utf-8")
        return NewPolicies(title, file.read_text(encoding="utf-8"), tables)
    except UnicodeDecodeError as error:
        msg = "the files must be UTF-8"
        raise Invalid(msg) from error


def _service(ctx: click.Context) -> PolicyService:
    return session_of(ctx).services(IamServices).protection.policies


@click.command("check-policies")
@click.argument("file", type=_FILE)
@_data
@json_option
@click.pass_context
def check_policies(ctx: click.Context, file: Path, data: Path | None, *, as_json: bool) -> None:
    """Say what is wrong with own policies; exit 1 if they could not be activated.

    Example: secops --as security-admin iam check-policies own.cedar --data own.toml
    """
    found = _service(ctx).check_policies(session_of(ctx).actor, _texts("check", file, data))
    if as_json:
        items = [_finding(one) for one in found]
        print_json({"sound": not any(_bad(one) for one in found), "findings": items})
    else:
        rows = [(f.severity, f.policy, f.code, f.text.zh, f.text.en) for f in found]
        print_table("Findings", ("severity", "policy", "code", "zh", "en"), rows)
    if any(_bad(one) for one in found):
        ctx.exit(1)


def _bad(finding: Finding) -> bool:
    return finding.severity == "error"


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity,
        "code": finding.code,
        "policy": finding.policy,
        "zh": finding.text.zh,
        "en": finding.text.en,
    }


@click.command("simulate-policies")
@click.argument("file", type=_FILE)
@_data
@json_option
@click.pass_context
def simulate_policies(ctx: click.Context, file: Path, data: Path | None, *, as_json: bool) -> None:
    """Try own policies on recorded decisions: which would have come out otherwise.

    Example: secops --as security-admin iam simulate-policies own.cedar
    """
    tried = _service(ctx).simulate_policies(session_of(ctx).actor, _texts("try", file, data))
    _print_simulation(tried, as_json=as_json)


def _print_simulation(tried: Simulation, *, as_json: bool) -> None:
    records = [
        {
            "subject": one.subject,
            "permission": one.permission,
            "resource_kind": one.resource_kind,
            "before": "allowed" if one.allowed_before else "refused",
            "after": "refused" if one.allowed_before else "allowed",
            "count": one.count,
            "policies": " ".join(one.policies),
        }
        for one in tried.changed
    ]
    if as_json:
        print_json(
            {
                "decisions": tried.decisions,
                "changes": tried.changes,
                "refusals_more": tried.refusals_more,
                "refusals_fewer": tried.refusals_fewer,
                "unreadable": tried.unreadable,
                "changed": records,
            }
        )
        return
    say(f"would change {tried.changes:,} of {tried.decisions:,} decisions")
    names = ("subject", "permission", "resource_kind", "before", "after", "count", "policies")
    print_table("Changed", names, [[record[name] for name in names] for record in records])


@click.command("draft-policies")
@click.argument("file", type=_FILE)
@click.option("--title", required=True, help="What the version is for.")
@_data
@click.pass_context
def draft_policies(ctx: click.Context, file: Path, title: str, data: Path | None) -> None:
    """Keep own policies as a draft; prints its id.

    Example: secops --as security-admin iam draft-policies own.cedar --title "Nights off"
    """
    kept = _service(ctx).draft_policies(session_of(ctx).actor, _texts(title, file, data))
    click.echo(kept.id)


@click.command("list-policies")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_policies(ctx: click.Context, *, cursor: str | None, as_json: bool) -> None:
    """List versions, newest first.

    Example: secops --as auditor iam list-policies
    """
    page = _service(ctx).list_policies(session_of(ctx).actor, page_request("200", cursor))
    records = [_record(version) for version in page.items]
    names = ("number", "id", "title", "state", "created_at", "activated_at")
    print_list("Policies", names, records, as_json=as_json, following=page.next)


def _record(version: PolicyVersion) -> dict[str, str | int | None]:
    return {
        "number": version.number,
        "id": version.id,
        "title": version.title,
        "state": version.state,
        "created_at": to_rfc3339(version.created_at),
        "activated_at": rfc3339_or_none(version.activated_at),
    }


@click.command("propose-policies")
@click.argument("version")
@_reason
@json_option
@click.pass_context
def propose_policies(ctx: click.Context, version: str, reason: str, *, as_json: bool) -> None:
    """Ask another person to activate a draft; shows what it would have changed.

    Example: secops --as security-admin iam propose-policies pol_01k9… --reason "audit finding 7"
    """
    tried = _service(ctx).propose_policies(session_of(ctx).actor, version, reason)
    _print_simulation(tried, as_json=as_json)


@click.command("activate-policies")
@click.argument("version")
@click.option("--reject", is_flag=True, help="Reject it instead.")
@_reason
@click.pass_context
def activate_policies(ctx: click.Context, version: str, reason: str, *, reject: bool) -> None:
    """Approve a version that another person proposed: it decides within a second everywhere.

    Example: secops --as system-admin iam activate-policies pol_01k9…
    """
    decided = _service(ctx).decide_policies(
        session_of(ctx).actor, version, grant=not reject, reason=reason
    )
    say(f"version {decided.number} is {decided.state}")


@click.command("restore-policies")
@click.argument("version")
@_reason
@click.pass_context
def restore_policies(ctx: click.Context, version: str, reason: str) -> None:
    """Bring back a version that was in force before.

    Example: secops --as security-admin iam restore-policies pol_01k9… --reason "too strict"
    """
    restored = _service(ctx).restore_policies(session_of(ctx).actor, version, reason)
    say(f"version {restored.number} is {restored.state}")


COMMANDS: Final = (
    check_policies,
    simulate_policies,
    draft_policies,
    list_policies,
    propose_policies,
    activate_policies,
    restore_policies,
)
