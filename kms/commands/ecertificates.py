"""``secops kms``: templates and e-certificates (电子证照); not X.509 certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OUT, content_of
from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, print_table, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.ecertificates import ECertificate, ECertificateTemplate
    from kms.service.ecertificates import ECertificates

_MAX_TEMPLATE: Final = 1 << 20
_CALLER: Final = "command line"
_TEMPLATE_COLUMNS: Final = ("id", "name", "version", "state", "type_code")
_COLUMNS: Final = ("id", "number", "type_name", "holder", "state", "valid_until")


@click.command("propose-ecertificate-template")
@click.argument("file", type=FILE)
@json_option
@click.pass_context
def propose_ecertificate_template(ctx: click.Context, *, file: Path, as_json: bool) -> None:
    """Propose the template in FILE (JSON, 证照模板); somebody else decides it.

    Example: secops --as seal-applicant kms propose-ecertificate-template licence.json
    """
    import orjson  # noqa: PLC0415 - quick --help

    with file.open("rb") as stream:
        content = stream.read(_MAX_TEMPLATE)
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        msg = f"{file} is no JSON: {error}"
        raise click.UsageError(msg) from error
    if not isinstance(record, dict):
        msg = f"{file} holds no JSON object"
        raise click.UsageError(msg)
    made = here(ctx).templates.propose_ecertificate_template(session_of(ctx).actor, record)
    if as_json:
        print_json(_template(made))
    else:
        click.echo(made.id)


@click.command("decide-ecertificate-template")
@click.argument("template")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def decide_ecertificate_template(
    ctx: click.Context, *, template: str, reject: bool, reason: str
) -> None:
    """Put TEMPLATE in force or refuse it; never one's own.

    Example: secops --as security-admin kms decide-ecertificate-template ect_01… --reason 同意
    """
    decided = here(ctx).templates.decide_ecertificate_template(
        session_of(ctx).actor, template, grant=not reject, reason=reason
    )
    say(f"{template}: {decided.state}")


@click.command("retire-ecertificate-template")
@click.argument("template")
@click.option("--reason", required=True)
@click.pass_context
def retire_ecertificate_template(ctx: click.Context, *, template: str, reason: str) -> None:
    """Let TEMPLATE issue nothing more; what was issued stays.

    Example: secops --as security-admin kms retire-ecertificate-template ect_01… --reason 停办
    """
    services = here(ctx)
    services.templates.retire_ecertificate_template(session_of(ctx).actor, template, reason)
    say(f"{template}: retired")


@click.command("list-ecertificate-templates")
@click.option("--limit", type=click.IntRange(1, 200), default=50)
@click.option("--cursor", help="Of the page before.")
@json_option
@click.pass_context
def list_ecertificate_templates(
    ctx: click.Context, *, limit: int, cursor: str | None, as_json: bool
) -> None:
    """List templates, newest first.

    Example: secops --as auditor kms list-ecertificate-templates
    """
    from secops.kernel.pages import page_request  # noqa: PLC0415 - quick --help

    page = here(ctx).templates.list_ecertificate_templates(
        session_of(ctx).actor, page_request(str(limit), cursor)
    )
    rows = [_template(each) for each in page.items]
    print_list("Templates", _TEMPLATE_COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("show-ecertificate-template")
@click.argument("template")
@json_option
@click.pass_context
def show_ecertificate_template(ctx: click.Context, *, template: str, as_json: bool) -> None:
    """Show TEMPLATE and what it changes of the version in force.

    Example: secops --as security-admin kms show-ecertificate-template ect_01…
    """
    found = here(ctx).templates.show_ecertificate_template(session_of(ctx).actor, template)
    record = _template(found.template) | {"approval": found.approval.state}
    changes = [
        {"what": what, "before": before, "after": after} for what, before, after in found.changes
    ]
    if as_json:
        print_json({**record, "changes": changes})
        return
    say(" · ".join(str(record[name]) for name in (*_TEMPLATE_COLUMNS, "approval")))
    print_table("Changes", ("what", "before", "after"), [tuple(each.values()) for each in changes])


@click.command("issue-ecertificate")
@click.argument("template")
@click.option("--value", "values", multiple=True, metavar="FIELD=TEXT", help="The holder's data.")
@click.option("--number", default="", help="证照编号; without it the next one is taken.")
@click.option("--replaces", default="", help="The e-certificate whose place it takes (换发).")
@click.option("-o", "--output", type=OUT, help="Write the sealed file (.ofd) here.")
@json_option
@click.pass_context
def issue_ecertificate(ctx: click.Context, /, template: str, **options: Any) -> None:
    """Issue one e-certificate by TEMPLATE: numbered, drawn, sealed (签发).

    Example: secops --as seal-holder kms issue-ecertificate ect_01… --value holder=张三 -o zhang.ofd
    """
    from kms.models.ecertificates import IssueRequest  # noqa: PLC0415 - quick --help

    values = {}
    for text in options["values"]:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            msg = f"--value is FIELD=TEXT, each field once, not {text[:60]!r}"
            raise click.BadParameter(msg)
        values[name] = value
    actor, services = session_of(ctx).actor, here(ctx)
    issued = services.issuing.issue_ecertificate(
        actor, IssueRequest(template, values, options["number"], options["replaces"])
    )
    if options["output"] is not None:
        opened = services.registry.open_ecertificate(actor, issued.id)
        options["output"].write_bytes(opened.document)
    if options["as_json"]:
        print_json(_ecertificate(issued, services.registry.now()))
    else:
        click.echo(issued.id)


@click.command("list-ecertificates")
@click.option("--template", help="Only those of this template.")
@click.option("--number", help="Only that number.")
@click.option("--batch", help="Only those of this batch.")
@click.option("--limit", type=click.IntRange(1, 200), default=50)
@click.option("--cursor", help="Of the page before.")
@json_option
@click.pass_context
def list_ecertificates(ctx: click.Context, /, **options: Any) -> None:
    """List e-certificates, newest first, their holders masked.

    Example: secops --as auditor kms list-ecertificates --limit 20
    """
    from secops.kernel.pages import page_request  # noqa: PLC0415 - quick --help

    named = {"template_id": "template", "number": "number", "batch_id": "batch"}
    filters = {column: options[name] for column, name in named.items() if options[name]}
    registry = here(ctx).registry
    wanted = page_request(str(options["limit"]), options["cursor"])
    page = registry.list_ecertificates(session_of(ctx).actor, wanted, filters)
    rows = [_ecertificate(each, registry.now()) for each in page.items]
    as_json = options["as_json"]
    print_list("E-certificates", _COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("show-ecertificate")
@click.argument("ecertificate")
@json_option
@click.pass_context
def show_ecertificate(ctx: click.Context, *, ecertificate: str, as_json: bool) -> None:
    """Show one e-certificate without the holder's data.

    Example: secops --as auditor kms show-ecertificate ecert_01…
    """
    registry = here(ctx).registry
    found = registry.show_ecertificate(session_of(ctx).actor, ecertificate)
    record = _ecertificate(found.record, registry.now()) | {"replaced_by": found.replaced_by}
    if as_json:
        print_json(record)
    else:
        print_table("E-certificate", ("what", "is"), list(record.items()))


@click.command("open-ecertificate")
@click.argument("ecertificate")
@click.option("-o", "--output", type=OUT, help="Write the sealed file (.ofd) here.")
@json_option
@click.pass_context
def open_ecertificate(
    ctx: click.Context, *, ecertificate: str, output: Path | None, as_json: bool
) -> None:
    """Show the holder's data and the public link; each opening is recorded.

    Example: secops --as seal-holder kms open-ecertificate ecert_01… -o zhang.ofd
    """
    opened = here(ctx).registry.open_ecertificate(session_of(ctx).actor, ecertificate)
    if output is not None:
        output.write_bytes(opened.document)
    if as_json:
        print_json({"values": dict(opened.values), "link": opened.link})
    else:
        print_table("E-certificate", ("what", "is"), [*opened.values, ("link", opened.link)])


def _stop(verb: str, title: str, example: str) -> click.Command:
    """Return one of suspend, resume, revoke: the same but for the word."""

    @click.command(f"{verb}-ecertificate", help=f"{title}\n\n{example}")
    @click.argument("ecertificate")
    @click.option("--reason", required=True)
    @click.pass_context
    def command(ctx: click.Context, *, ecertificate: str, reason: str) -> None:
        registry = here(ctx).registry
        acts = {
            "suspend": registry.suspend_ecertificate,
            "resume": registry.resume_ecertificate,
            "revoke": registry.revoke_ecertificate,
        }
        acts[verb](session_of(ctx).actor, ecertificate, reason)
        say(f"{ecertificate}: {verb}")

    return command


@click.command("verify-ecertificate")
@click.argument("file", type=FILE)
@json_option
@click.pass_context
def verify_ecertificate(ctx: click.Context, *, file: Path, as_json: bool) -> None:
    """Verify FILE by its own seal, and say what this registry knows of it; exit 1 if not valid.

    Example: secops kms verify-ecertificate zhang.ofd --json
    """
    content = content_of(file)
    verdict = here(ctx).verification.verify_ecertificate(content, caller=_CALLER)
    known = verdict.registered
    state = None if known is None else known.state
    identifier = None if known is None else known.identifier
    counts = verdict.report.valid and state in (None, "valid")
    if as_json:
        seal = verdict.report.to_record()
        print_json({"valid": counts, "state": state, "identifier": identifier, "seal": seal})
    else:
        say(
            "not registered here: judged by its seal" if known is None else f"{identifier}: {state}"
        )
        click.echo("有效 / valid" if counts else "无效 / NOT valid")
    if not counts:
        ctx.exit(1)


def here(ctx: click.Context) -> ECertificates:
    """Return the family's use cases in the home that was opened."""
    return services_of(ctx).ecertificates


def _template(template: ECertificateTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.wish.name,
        "version": template.version,
        "state": template.state,
        "type_code": template.wish.type_code,
        "authority": template.wish.authority,
    }


def _ecertificate(record: ECertificate, now: int) -> dict[str, Any]:
    from secops.kernel.clock import rfc3339_or_none  # noqa: PLC0415 - quick --help

    return {
        "id": record.id,
        "number": record.number,
        "identifier": record.identifier,
        "type_name": record.type_name,
        "holder": record.holder_masked,
        "state": record.standing(now),
        "valid_until": rfc3339_or_none(record.valid_until),
        "file_sm3": record.digest,
    }


COMMANDS: Final[tuple[click.Command, ...]] = (
    propose_ecertificate_template,
    decide_ecertificate_template,
    retire_ecertificate_template,
    list_ecertificate_templates,
    show_ecertificate_template,
    issue_ecertificate,
    list_ecertificates,
    show_ecertificate,
    open_ecertificate,
    _stop(
        "suspend",
        "Let ECERTIFICATE count for nothing until it is resumed (暂停).",
        "Example: secops --as seal-holder kms suspend-ecertificate ecert_01… --reason 核查",
    ),
    _stop(
        "resume",
        "Let a suspended ECERTIFICATE count again (恢复).",
        "Example: secops --as security-admin kms resume-ecertificate ecert_01… --reason 核实",
    ),
    _stop(
        "revoke",
        "End ECERTIFICATE for good (吊销).",
        "Example: secops --as security-admin kms revoke-ecertificate ecert_01… --reason 违法",
    ),
    verify_ecertificate,
)
"""What the group ``secops kms`` takes up."""
