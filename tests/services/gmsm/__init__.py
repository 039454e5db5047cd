"""gmsm, Go's library of the Chinese algorithms, as a judge nobody here wrote.

Of SignedData it checks messageDigest, the SM2 value over the signed attributes, and the chain;
it knows nothing of time-stamps. The other program answers about SM2, SM3, SM4, and about
certificates, requests and lists signed with SM2.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_MODULE = ("go.mod", "go.sum")


class Unavailable(Exception):
    """Something of this machine that the judge needs is missing."""


def opinions(root: Path, seconds: int, files: Sequence[Path]) -> list[str]:
    """Return "ok SM3-OF-CONTENT" or "no …" for each of ``files``; raises ``Unavailable``.

    ``root`` is a certificate in DER; ``seconds`` since 1970 is when the chain must be valid.
    """
    command = [str(_installed(".")), str(root), str(seconds), *map(str, files)]
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
        [str(_installed("primitives"))],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(questions), done.stderr
    return [each.get("answer", each) for each in found]


def _installed(package: str) -> Path:
    """Return the compiled judge ``package``, fetched when it is asked for first."""
    if shutil.which("go") is None:
        msg = "no go (1.24 or newer)"
        raise Unavailable(msg)
    sources = (*_MODULE, f"{package}/main.go")
    recipe = hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in sources))
    judge = Path.home() / ".cache" / "govsecops" / f"gmsm-{recipe.hexdigest()[:16]}"
    if not judge.is_file():
        judge.parent.mkdir(parents=True, exist_ok=True)
        _build(judge, package)
    return judge


def _build(judge: Path, package: str) -> None:
    draft = judge.with_suffix(f".{os.getpid()}")
    # no other toolchain is fetched, and nothing that go.sum does not name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}  # noqa: TID251 - the child's
    built = subprocess.run(
        ["go", "build", "-o", str(draft), f"./{package}"],
        cwd=_FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        msg = f"Go could not build gmsm's judge: {built.stderr.strip()[-300:]}"
        raise Unavailable(msg)
    draft.rename(judge)
