"""``secops kms``: create-time-stamp, verify-time-stamp (RFC 3161)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OK, OUT, content_of, digest_of
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.time_stamps import StamperKey, TokenVerdict

_TYPES: Final = ("sm2", "ecdsa-p256")
_HASHES: Final = ("sha256", "sha384", "sha512", "sm3")


@click.command("create-time-stamp")
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=OUT, required=True, help="Write the answer (.tsr) here.")
@click.option(
    "--hash", "hash_name", type=click.Choice(_HASHES), default="sha256", help="sm3: SM2 signs."
)
@click.pass_context
def create_time_stamp(ctx: click.Context, *, file: Path, output: Path, hash_name: str) -> None:
    """Let the built-in authority say that FILE is there now (时间戳).

    Example: secops --as seal-holder kms create-time-stamp report.pdf -o report.tsr
    """
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help
    from kms.service.time_stamps import time_stamp_query  # noqa: PLC0415

    session = session_of(ctx)
    query = time_stamp_query(hash_name, digest_of(file, hash_name))
    stamps = session.services(KmsServices).time_stamps
    output.write_bytes(stamps.create_time_stamp(query, actor=session.actor).content)
    say(f"{file} stamped: {output}")


@click.command("verify-time-stamp")
@click.argument("file", type=FILE)
@click.argument("time_stamp", type=FILE, metavar="TSR")
@click.option("--trust", type=FILE, multiple=True, help="Trust anchors (PEM).")
@click.option("--crl", type=FILE, multiple=True, help="Revocation lists of the anchors (DER).")
@json_option
@click.pass_context
def verify_time_stamp(ctx: click.Context, /, file: Path, time_stamp: Path, **options: Any) -> None:
    """Verify that TSR (an answer or a token) is over FILE; exit 1 if it is not valid.

    Anchors are those of --trust and the home's built-in test CA, if there is one.

    Example: secops kms verify-time-stamp report.pdf report.tsr --json
    """
    from kms.service.seals import SealFiles  # noqa: PLC0415 - quick --help

    verdict = (
        session_of(ctx)
        .files(SealFiles)
        .verify_time_stamp(
            content_of(time_stamp),
            partial(digest_of, file),
            [content_of(path) for path in options["trust"]],
            [content_of(path) for path in options["crl"]],
        )
    )
    if options["as_json"]:
        print_json(verdict.to_record())
    else:
        _print_verdict(verdict)
    if not verdict.valid:
        ctx.exit(1)


@click.command("rotate-time-stamper")
@click.option("--type", "algorithm", type=click.Choice(_TYPES), required=True)
@click.pass_context
def rotate_time_stamper(ctx: click.Context, *, algorithm: StamperKey) -> None:
    """Give the built-in time-stamp authority a new key and certificate.

    Example: secops --as security-admin kms rotate-time-stamper --type sm2
    """
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help
    from secops.kernel.clock import to_rfc3339  # noqa: PLC0415

    session = session_of(ctx)
    stamps = session.services(KmsServices).time_stamps
    issued = stamps.rotate_time_stamper(session.actor, algorithm)
    say(f"{issued.subject}, until {to_rfc3339(issued.not_after)}")
    click.echo(issued.id)


COMMANDS: Final[tuple[click.Command, ...]] = (
    create_time_stamp,
    verify_time_stamp,
    rotate_time_stamper,
)
"""What the group ``secops kms`` takes up."""


def _print_verdict(verdict: TokenVerdict) -> None:
    record = verdict.to_record()
    title = " · ".join(part for part in (record["made_at"], record["authority"]) if part)
    rows = [(step["n"], step["what"], OK[step["ok"]], step["why"]) for step in record["steps"]]
    print_table(title, ("n", "step", "ok", "why"), rows)
    for warning in record["warnings"]:
        say(warning)
    click.echo("有效 / valid" if record["valid"] else "无效 / NOT valid")
