"""The child that opens a template of an office: one question, one answer, then the end.

It limits itself before it looks at what a stranger made; a limit that is passed ends it.
"""

from __future__ import annotations

import base64
import sys
from typing import Any

import orjson

from audits.adapters.rendering.limits import limit_resources
from audits.adapters.rendering.trying import fill_template, try_template


def main() -> None:
    """Answer the question on standard input."""
    limit_resources()
    asked: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    reports = [
        (each["fields"], {name: base64.b64decode(png) for name, png in each["pictures"].items()})
        for each in asked["reports"]
    ]
    template = base64.b64decode(asked["template"])
    if asked["do"] == "try":
        faults, made = try_template(asked["form"], template, reports)
    else:
        faults, made = fill_template(asked["form"], template, reports[0])
    sys.stdout.buffer.write(orjson.dumps({"faults": faults}) + b"\n" + made)


if __name__ == "__main__":
    main()
