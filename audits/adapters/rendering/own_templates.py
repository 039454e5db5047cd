"""Templates of an office, opened in a child process that has limits and knows nothing."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from audits.errors import TemplateRejected

_COMMAND: Final = (sys.executable, "-I", "-m", "audits.adapters.rendering.child")
_PATIENCE: Final = 60.0
"""Seconds on the wall; the child ends itself by its processor's time before."""

Report = tuple[Mapping[str, Any], Mapping[str, bytes]]
"""Fields, and PNG of the charts by name."""


def ask_child(do: str, form: str, template: bytes, reports: Sequence[Report]) -> bytes:
    """Return what the child made; raise ``TemplateRejected`` with all that it found wrong."""
    question = {
        "do": do,
        "form": form,
        "template": base64.b64encode(template).decode(),
        "reports": [
            {
                "fields": fields,
                "pictures": {
                    name: base64.b64encode(png).decode() for name, png in pictures.items()
                },
            }
            for fields, pictures in reports
        ],
    }
    return answer_of(_COMMAND, question)


def answer_of(command: Sequence[str], question: Mapping[str, Any]) -> bytes:
    """Return what a child of ``command`` made; raise ``TemplateRejected`` with what is wrong."""
    asked = orjson.dumps(question)
    try:
        # the child is our own module under this interpreter, with no environment
        done = subprocess.run(  # noqa: S603 - nothing in the command is given from outside
            command, input=asked, capture_output=True, timeout=_PATIENCE, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TemplateRejected(["it takes too long"]) from error
    if done.returncode != 0:
        raise TemplateRejected(["it takes more time or memory than a template may"])
    answer, _, made = done.stdout.partition(b"\n")
    if faults := orjson.loads(answer)["faults"]:
        raise TemplateRejected(faults)
    return made
