"""``secops playbooks``: the register of playbooks, bindings of alerts to them, the switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@group.command("list-playbooks")
@page_options
@json_option
@click.pass_context
def list_playbooks(ctx: click.Context, /, **chosen: Any) -> None:
    """List the register: each playbook's state, and whose signature counts now.

    Example: secops playbooks list-playbooks
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.playbooks.documents import playbook_view_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).playbooks.list_playbooks(
        session.actor, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [playbook_view_document(one) for one in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [
        (d["content_hash"][:12], d["name"], d["state"], d["signature"], d["refused"])
        for d in documents
    ]
    print_table("剧本 Playbooks", ("hash", "名称", "状态", "签名", "不可运行的原因"), rows)


@group.command("import-playbook")
@click.argument("file")
@json_option
@click.pass_context
def import_playbook(ctx: click.Context, file: str, *, as_json: bool) -> None:
    """Register FILE, or a playbook of the release by its name, as a draft.

    Another person's approval signs it; until then it is not run. Commands that we never run
    become work by hand, which is printed.

    Example: secops playbooks import-playbook partner.json
    """
    from playbooks.models.playbooks import ImportedPlaybook  # noqa: PLC0415 - quick --help
    from playbooks.service import PlaybooksServices  # noqa: PLC0415
    from playbooks.service.playbooks.documents import imported_document  # noqa: PLC0415

    session = session_of(ctx)
    register = session.services(PlaybooksServices).playbooks
    path = Path(file)
    if path.is_file():
        imported = register.import_playbook(session.actor, path.read_bytes())
    else:
        imported = ImportedPlaybook(register.adopt_playbook(session.actor, file))
    document = imported_document(imported)
    if as_json:
        print_json(document)
        return
    click.echo(f"{document['content_hash']} {document['state']}")
    for change in document["changes"]:
        say(f"  {change['code']} {change['place']} {change['detail']}".rstrip())


@group.command("approve-playbook")
@click.argument("content_hash")
@click.option("--reject", is_flag=True, help="Refuse it.")
@click.option("--reason", default="")
@click.pass_context
def approve_playbook(ctx: click.Context, /, content_hash: str, **chosen: Any) -> None:
    """Approve a draft that somebody else imported: the organisation's SM2 key signs it.

    Example: secops --as security-admin playbooks approve-playbook 3f2a
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    decided = session.services(PlaybooksServices).playbooks.approve_playbook(
        session.actor, content_hash, grant=not chosen["reject"], reason=chosen["reason"]
    )
    click.echo(f"{decided.content_hash} {decided.state}")


@group.command("retire-playbook")
@click.argument("content_hash")
@click.pass_context
def retire_playbook(ctx: click.Context, content_hash: str) -> None:
    """Take an approved playbook out of use at once.

    Example: secops --as security-admin playbooks retire-playbook 3f2a
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    retired = session.services(PlaybooksServices).playbooks.retire_playbook(
        session.actor, content_hash
    )
    click.echo(f"{retired.content_hash} {retired.state}")


@group.command("export-playbook")
@click.argument("content_hash")
@click.pass_context
def export_playbook(ctx: click.Context, content_hash: str) -> None:
    """Print a playbook with its signatures, the same bytes each time.

    Example: secops playbooks export-playbook 3f2a > playbook.json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    content = session.services(PlaybooksServices).playbooks.export_playbook(
        session.actor, content_hash
    )
    click.echo(content, nl=False)


@group.command("list-bindings")
@page_options
@json_option
@click.pass_context
def list_bindings(ctx: click.Context, /, **chosen: Any) -> None:
    """List bindings of alerts to playbooks, and the change that waits for another person.

    Example: secops playbooks list-bindings
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.bindings.documents import binding_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).autonomy.bindings.list_bindings(
        session.actor, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [binding_document(one) for one in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [
        (d["id"], d["terms"]["name"], d["state"], d["terms"]["autonomy"], _waiting(d))
        for d in documents
    ]
    print_table("自动响应绑定 Bindings", ("id", "名称", "状态", "自主程度", "待审批"), rows)


def _waiting(document: dict[str, Any]) -> str:
    return document["change"]["sha256"] if document["change"] else ""


@group.command("propose-binding")
@click.argument("file", type=_FILE)
@click.option("--change", "binding_id", default="", metavar="ID", help="Change this binding.")
@json_option
@click.pass_context
def propose_binding(ctx: click.Context, /, file: Path, binding_id: str, *, as_json: bool) -> None:
    """Propose the binding in FILE (JSON); another person approves it by its hash.

    Fields: name, playbook, autonomy (suggest, approve or act), rules, severities, kinds,
    entities, arguments, cooldown_s, per_hour, valid_from, valid_until.

    Example: secops playbooks propose-binding brute-force.json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.bindings.documents import binding_document  # noqa: PLC0415

    session = session_of(ctx)
    bindings = session.services(PlaybooksServices).autonomy.bindings
    terms = bindings.terms_for(session.actor, *_read(file))
    document = binding_document(
        bindings.propose_binding(session.actor, terms, binding_id=binding_id)
    )
    if as_json:
        print_json(document)
        return
    click.echo(f"{document['id']} {document['change']['sha256']}")
    for row in document["change"]["difference"]:
        say(f"  {row['term']}: {row['before'] or '—'} → {row['after'] or '—'}")


@group.command("try-binding")
@click.argument("file", type=_FILE)
@json_option
@click.pass_context
def try_binding(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Show which alerts of the last 30 days the binding in FILE would have answered.

    Example: secops playbooks try-binding brute-force.json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.bindings.documents import dry_test_document  # noqa: PLC0415

    session = session_of(ctx)
    bindings = session.services(PlaybooksServices).autonomy.bindings
    terms = bindings.terms_for(session.actor, *_read(file))
    document = dry_test_document(bindings.try_binding(session.actor, terms))
    if as_json:
        print_json(document)
        return
    click.echo(f"{len(document['matched'])} / {document['looked_at']}")
    for one in document["matched"]:
        say(f"  {one['alert_id']} {one['title']}")


def _read(file: Path) -> Any:
    """Return the playbook's name and the terms in ``file``; raise ``BindingInvalid``."""
    import json  # noqa: PLC0415 - quick --help

    from playbooks.errors.bindings import BindingInvalid  # noqa: PLC0415
    from playbooks.service.bindings.documents import read_wish  # noqa: PLC0415

    try:
        wish = json.loads(file.read_bytes())
    except ValueError as error:
        msg = f"{file.name} is not JSON"
        raise BindingInvalid(msg) from error
    if not isinstance(wish, dict):
        msg = f"{file.name} is no JSON object"
        raise BindingInvalid(msg)
    return read_wish(wish)


@group.command("approve-binding")
@click.argument("binding_id")
@click.option("--change", "sha256", required=True, metavar="SHA256", help="The hash you saw.")
@click.option("--reject", is_flag=True, help="Refuse it.")
@click.option("--reason", default="")
@click.pass_context
def approve_binding(ctx: click.Context, /, binding_id: str, **chosen: Any) -> None:
    """Approve exactly the change with this hash; nobody approves their own.

    Example: secops --as security-admin playbooks approve-binding bnd_01k9 --change 3f2a
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.bindings import ChangeDecision  # noqa: PLC0415

    session = session_of(ctx)
    decision = ChangeDecision(chosen["sha256"], not chosen["reject"], chosen["reason"])
    decided = session.services(PlaybooksServices).autonomy.bindings.decide_binding(
        session.actor, binding_id, decision
    )
    click.echo(f"{decided.id} {decided.state} {decided.version}")


@group.command("withdraw-binding")
@click.argument("binding_id")
@click.pass_context
def withdraw_binding(ctx: click.Context, binding_id: str) -> None:
    """Ask to end a binding; another person approves it.

    Example: secops playbooks withdraw-binding bnd_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.bindings.documents import binding_document  # noqa: PLC0415

    session = session_of(ctx)
    asked = session.services(PlaybooksServices).autonomy.bindings.withdraw_binding(
        session.actor, binding_id
    )
    click.echo(f"{asked.id} {_waiting(binding_document(asked))}")


@group.command("pause-bindings")
@click.option("--reason", required=True)
@click.pass_context
def pause_bindings(ctx: click.Context, reason: str) -> None:
    """Stop every binding now; what they ordered and hasn't begun is cancelled.

    Example: secops playbooks pause-bindings --reason "误报过多"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(PlaybooksServices).autonomy.pauses.pause_bindings(session.actor, reason)
    say("自动响应已暂停 paused")


@group.command("resume-bindings")
@click.option("--reason", default="")
@click.option("--approve", is_flag=True, help="Approve what another person asked for.")
@click.option("--reject", is_flag=True, help="Leave it paused.")
@click.pass_context
def resume_bindings(ctx: click.Context, /, **chosen: Any) -> None:
    """Ask that bindings go on; another person approves it with --approve.

    Example: secops --as security-admin playbooks resume-bindings --approve
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    pauses = session.services(PlaybooksServices).autonomy.pauses
    if chosen["approve"] or chosen["reject"]:
        after = pauses.decide_resume(
            session.actor, grant=not chosen["reject"], reason=chosen["reason"]
        )
    else:
        after = pauses.request_resume(session.actor, chosen["reason"])
    say("自动响应仍暂停 paused" if after.paused else "自动响应已恢复 resumed")


@group.command("confirm-run")
@click.argument("run_id")
@click.option("--plan", "plan_sha256", required=True, metavar="SHA256", help="The hash you saw.")
@click.option("--reject", is_flag=True, help="Have it taken back now.")
@click.option("--reason", default="")
@click.pass_context
def confirm_run(ctx: click.Context, /, run_id: str, **chosen: Any) -> None:
    """Approve after the fact what a binding began; unapproved for 30 minutes it is taken back.

    Example: secops --as security-admin playbooks confirm-run run_01k9 --plan 3f2a
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(PlaybooksServices)
    services.autonomy.automatic.confirm_run(
        session.actor,
        run_id,
        grant=not chosen["reject"],
        plan_sha256=chosen["plan_sha256"],
        reason=chosen["reason"],
    )
    gone_on = services.runner.advance(run_id)
    click.echo(f"{gone_on.id} {gone_on.state}")
