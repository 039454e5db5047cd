"""ofdrw, the OFD library most others build on, as a judge nobody here wrote.

It checks digests and the signer's value; not the maker, times, chain or what is left out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent
_SOURCE = _FOLDER / "OfdOpinion.java"
_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


class Unavailable(Exception):
    """Something of this machine that the judge needs is missing."""


def opinions(files: Sequence[Path]) -> list[str]:
    """Return "ok" or "no …" for each of ``files``; raises ``Unavailable``."""
    classes, path = _installed()
    command = ["java", *_JAVA, "-cp", f"{classes}{os.pathsep}{path}", "OfdOpinion"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(("ok", "no "))]
    assert len(found) == len(files), done.stdout + done.stderr
    return found


def _installed() -> tuple[Path, str]:
    """Return the compiled judge and its class path, fetched when it is asked for first."""
    for program, package in (("javac", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            msg = f"no {program} (Debian: {package})"
            raise Unavailable(msg)
    recipe = hashlib.sha256(_SOURCE.read_bytes() + (_FOLDER / "pom.xml").read_bytes())
    folder = Path.home() / ".cache" / "govsecops" / f"ofdrw-{recipe.hexdigest()[:16]}"
    path = folder / "class.path"
    if not path.is_file() or not all(Path(j).is_file() for j in path.read_text().split(os.pathsep)):
        _fetch(folder)
    return folder, path.read_text()


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "class.path.draft"
    command = ["mvn", "-q", "-B", "-f", str(_FOLDER / "pom.xml"), "dependency:build-classpath"]
    ended = subprocess.run(
        [*command, f"-Dmdep.outputFile={draft}"], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        msg = f"Maven could not fetch ofdrw: {ended.stdout.strip()[-300:]}"
        raise Unavailable(msg)
    compile_ = ["javac", "-proc:none", "-nowarn", "-cp", draft.read_text().strip()]
    subprocess.run([*compile_, "-d", str(folder), str(_SOURCE)], check=True, capture_output=True)
    draft.rename(folder / "class.path")
