"""Anomaly models and judged sign-ins on the command line."""

from __future__ import annotations

from typing import Any, Literal

import click

from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of

_KINDS = click.Choice(["login", "use"])


@click.command("list-models")
@page_options
@json_option
@click.pass_context
def list_models(ctx: click.Context, limit: str, cursor: str | None, *, as_json: bool) -> None:
    """List anomaly models, newest first.

    Example: secops --as analyst detectors list-models
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.anomaly.model_presentation import model_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    models = session.services(DetectorsServices).models
    page = models.list_models(session.actor, page_request(limit, cursor))
    records = [model_json(record) for record in page.items]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    rows = [
        (r["kind"], r["state"], r["made_at"], r["card"].get("events"), r["id"]) for r in records
    ]
    print_table("Models", ("kind", "state", "made at", "events", "id"), rows)
    if page.next:
        say(f"more: --cursor {page.next}")


@click.command("show-model")
@click.argument("model_id")
@json_option
@click.pass_context
def show_model(ctx: click.Context, model_id: str, *, as_json: bool) -> None:
    """Show a model's card: what it learned from, its figures, how far things have moved.

    Example: secops --as analyst detectors show-model mdl_01k9…
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.anomaly.model_presentation import model_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    record = session.services(DetectorsServices).models.show_model(session.actor, model_id)
    _print(model_json(record), as_json=as_json)


@click.command("train-model")
@click.argument("kind", type=_KINDS)
@json_option
@click.pass_context
def train_model(ctx: click.Context, kind: str, *, as_json: bool) -> None:
    """Train a model of sign-ins or of uses now; the scheduler does so each day.

    Example: secops --as security-admin detectors train-model login
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.anomaly.model_presentation import model_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    record = session.services(DetectorsServices).models.train_model(session.actor, kind)
    _print(model_json(record), as_json=as_json)


@click.command("list-logins")
@click.option("--all", "everything", is_flag=True, help="Usual ones, too.")
@json_option
@click.pass_context
def list_logins(ctx: click.Context, *, everything: bool, as_json: bool) -> None:
    """List sign-ins of 30 days that were asked for one more code, and why.

    Example: secops --as analyst detectors list-logins
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.anomaly.model_presentation import login_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    models = session.services(DetectorsServices).models
    found = models.list_logins(session.actor, all_of_them=everything)
    records = [login_json(event) for event in found]
    if as_json:
        print_json({"items": records, "next": None})
        return
    rows = [
        (r["at"], r["account"], r["answer"], r["risk"], " ".join(r["why"][:3]), r["session"])
        for r in records
    ]
    print_table("Sign-ins", ("at", "account", "answer", "risk", "why", "session"), rows)


@click.command("judge-login")
@click.argument("session_id")
@click.option("--good", "verdict", flag_value="good", help="It was the owner.")
@click.option("--bad", "verdict", flag_value="bad", help="It was not: never learn from it.")
@click.option("--reason", required=True, help="How that is known.")
@click.pass_context
def judge_login(ctx: click.Context, session_id: str, verdict: str | None, reason: str) -> None:
    """Say whether a sign-in was its owner's.

    Example: secops --as analyst detectors judge-login ses_… --bad --reason "on leave"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    if verdict is None:
        msg = "say --good or --bad"
        raise click.UsageError(msg)
    session = session_of(ctx)
    models = session.services(DetectorsServices).models
    word: Literal["good", "bad"] = "good" if verdict == "good" else "bad"
    said = models.judge_login(session.actor, session_id, word, reason)
    say(f"{said.session_id}: {said.verdict}")


def _print(record: dict[str, Any], *, as_json: bool) -> None:
    from detectors.service.anomaly.model_presentation import card_text  # noqa: PLC0415 - heavy

    if as_json:
        print_json(record)
        return
    plain = [(name, value) for name, value in record.items() if name not in ("card", "drift")]
    inner = [*record["card"].items(), *((f"drift: {n}", v) for n, v in record["drift"].items())]
    rows = [(name, card_text(value)) for name, value in (*plain, *inner)]
    print_table("Model", ("what", "value"), rows)


COMMANDS = (list_models, show_model, train_model, list_logins, judge_login)
