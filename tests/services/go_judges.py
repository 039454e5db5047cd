"""Judges written in Go, compiled when they are asked for first and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_MODULE = ("go.mod", "go.sum")


class Unavailable(Exception):
    """Something of this machine that the judge needs is missing."""


def installed(folder: Path, package: str = ".") -> Path:
    """Return the compiled judge ``package`` of the module in ``folder``."""
    if shutil.which("go") is None:
        msg = "no go (1.24 or newer)"
        raise Unavailable(msg)
    sources = (*_MODULE, f"{package}/main.go")
    recipe = hashlib.sha256(b"".join((folder / name).read_bytes() for name in sources))
    name = f"{folder.name}-{recipe.hexdigest()[:16]}"
    judge = Path.home() / ".cache" / "govsecops" / name
    if not judge.is_file():
        judge.parent.mkdir(parents=True, exist_ok=True)
        _build(folder, judge, package)
    return judge


def _build(folder: Path, judge: Path, package: str) -> None:
    draft = judge.with_suffix(f".{os.getpid()}")
    # no other toolchain is fetched, and nothing that go.sum does not name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}  # noqa: TID251 - the child's
    built = subprocess.run(
        ["go", "build", "-o", str(draft), f"./{package}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        msg = f"Go could not build {folder.name}'s judge: {built.stderr.strip()[-300:]}"
        raise Unavailable(msg)
    draft.rename(judge)
