"""The child process: one question about one PDF from stdin, one answer to stdout, then the end.

``python -I -m kms.adapters.pdf.worker``. It limits itself before it reads what a stranger made.
"""

from __future__ import annotations

import base64
import io
import resource
import sys
from typing import Any, Final

import orjson

_CPU_SECONDS: Final = 10
_MEMORY: Final = 512 << 20
_NO_FILES: Final = 0


def main() -> None:
    """Answer the question on stdin."""
    # heavy, and before the limits: what is imported is ours
    from kms.adapters.pdf import signing, validating  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_NO_FILES, _NO_FILES))
    # a crash leaves no copy of the document behind
    resource.setrlimit(resource.RLIMIT_CORE, (_NO_FILES, _NO_FILES))
    line, _, document = sys.stdin.buffer.read().partition(b"\n")
    question = orjson.loads(line)
    answer: dict[str, Any]
    content = b""
    try:
        if question.pop("do") == "prepare":
            question["place"]["picture"] = base64.b64decode(question["place"]["picture"])
            content, start, end = signing.prepare(io.BytesIO(document), question)
            answer = {"start": start, "end": end}
        else:
            answer = {"signatures": validating.signatures(document)}
    except (RecursionError, MemoryError):
        answer, content = {"refused": "the PDF is nested or unpacked beyond the limits"}, b""
    except Exception as error:  # noqa: BLE001 - whatever a hostile file makes the library raise
        answer, content = {"refused": f"{type(error).__name__}: {error}"[:300]}, b""
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n" + content)


if __name__ == "__main__":
    main()
