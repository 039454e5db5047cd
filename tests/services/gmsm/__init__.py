"""gmsm, Go's library of the Chinese algorithms, as a judge of SignedData nobody here wrote.

It checks messageDigest, the SM2 value over the signed attributes, and the chain; it knows
nothing of time-stamps.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent
_SOURCES = ("main.go", "go.mod", "go.sum")


class Unavailable(Exception):
    """Something of this machine that the judge needs is missing."""


def opinions(root: Path, seconds: int, files: Sequence[Path]) -> list[str]:
    """Return "ok SM3-OF-CONTENT" or "no …" for each of ``files``; raises ``Unavailable``.

    ``root`` is a certificate in DER; ``seconds`` since 1970 is when the chain must be valid.
    """
    command = [str(_installed()), str(root), str(seconds), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "no "))]
    assert len(found) == len(files), done.stdout + done.stderr
    return found


def _installed() -> Path:
    """Return the compiled judge, fetched when it is asked for first."""
    if shutil.which("go") is None:
        msg = "no go (1.24 or newer)"
        raise Unavailable(msg)
    recipe = hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in _SOURCES))
    judge = Path.home() / ".cache" / "govsecops" / f"gmsm-{recipe.hexdigest()[:16]}"
    if not judge.is_file():
        judge.parent.mkdir(parents=True, exist_ok=True)
        _build(judge)
    return judge


def _build(judge: Path) -> None:
    draft = judge.with_suffix(f".{os.getpid()}")
    # no other toolchain is fetched, and nothing that go.sum does not name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}  # noqa: TID251 - the child's
    built = subprocess.run(
        ["go", "build", "-o", str(draft), "."],
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
