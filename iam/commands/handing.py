"""Handing out what is shown once: into a file only its owner can read, or onto stdout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from iam.models.accounts import IssuedEnrolment
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Conflict
from secops.terminal.output import print_json, say


def enrolment_record(issued: IssuedEnrolment) -> dict[str, Any]:
    """Return an enrolment as its file holds it."""
    return {
        "account": issued.account_name,
        "token": issued.token,
        "expires_at": to_rfc3339(issued.expires_at),
    }


def hand_out(record: dict[str, Any], output: Path | None, *, quiet: bool = False) -> None:
    """Write ``record`` to a new file of mode 0600, or print it."""
    if output is None:
        print_json(record)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        msg = f"{output} exists; it is not overwritten"
        raise Conflict(msg) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
    if not quiet:
        say(f"written to {output} (mode 0600)")
