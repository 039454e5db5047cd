"""gmsm, Go's library of the Chinese algorithms, as a judge nobody here wrote.

Of SignedData it checks messageDigest, the SM2 value over the signed attributes, and the chain;
it knows nothing of time-stamps. The other program answers about SM2, SM3, SM4, and about
certificates, requests and lists signed with SM2.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.services.go_judges import installed

_FOLDER = Path(__file__).parent


def opinions(root: Path, seconds: int, files: Sequence[Path]) -> list[str]:
    """Return "ok SM3-OF-CONTENT" or "no …" for each of ``files``; raises ``Unavailable``.

    ``root`` is a certificate in DER; ``seconds`` since 1970 is when the chain must be valid.
    """
    command = [str(installed(_FOLDER)), str(root), str(seconds), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "no "))]
    assert len(found) == len(files), done.stdout + done.stderr
    return found


def answers(questions: Sequence[Mapping[str, str | bytes]]) -> list[Any]:
    """Return what gmsm answers to each question, as ``primitives/main.go`` has them.

    An error of its own is ``{"error": why}``. Raises ``Unavailable``.
    """
    lines = [
        json.dumps({k: v.hex() if isinstance(v, bytes) else v for k, v in question.items()})
        for question in questions
    ]
    done = subprocess.run(
        [str(installed(_FOLDER, "primitives"))],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(questions), done.stderr
    return [each.get("answer", each) for each in found]
