"""Transcripts of the command line: what is typed, what is answered, how it ends.

``$`` a command after ``secops --home HOME`` (WORK a scratch folder, CORPUS the real files) ·
``>`` stdout matches · ``!`` stderr matches · ``{`` stdout is one JSON document with these
keys (``{lines``: JSON Lines) · ``=`` the exit code. Unless a ``{`` stands there, nothing is
said of the rest.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]

pytestmark = pytest.mark.service


@dataclass
class Step:
    number: int
    command: str
    expected: list[tuple[str, str]] = field(default_factory=list)


def steps(file: Path) -> Iterator[Step]:
    current: Step | None = None
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.startswith("$ "):
            current = Step(number, line[2:])
        elif line and not line.startswith("#"):
            assert current is not None, f"{file.name}:{number}: nothing was typed yet"
            mark, _, wanted = line.partition(" ")
            current.expected.append((mark, wanted))
            if mark == "=":
                yield current
                current = None
    assert current is None, f"{file.name}: the last command has no exit code"


def run(step: Step, home: Path, work: Path, corpus: str) -> subprocess.CompletedProcess[str]:
    typed = step.command.replace("WORK", str(work)).replace("CORPUS", corpus).split()
    environment = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - the child gets a bare one
        if not name.startswith("SECOPS_")
    }
    return subprocess.run(
        [sys.executable, "-m", "secops", "--home", str(home), *typed],
        cwd=ROOT,
        env=environment | {"LC_ALL": "C.UTF-8", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def documents(text: str, mark: str) -> list[dict[str, Any]]:
    """The one document of stdout, or each of its lines; raise ``ValueError``."""
    found = [json.loads(part) for part in (text.splitlines() if mark == "{lines" else [text])]
    if not found:
        raise ValueError(text)
    return found


def fits(mark: str, wanted: str, ran: subprocess.CompletedProcess[str]) -> bool:
    match mark:
        case ">":
            return re.search(wanted, ran.stdout) is not None
        case "!":
            return re.search(wanted, ran.stderr) is not None
        case "=":
            return str(ran.returncode) in wanted.split("|")
    try:
        return all(set(wanted.split()) <= set(one) for one in documents(ran.stdout, mark))
    except ValueError:
        return False


def differences(step: Step, ran: subprocess.CompletedProcess[str]) -> list[str]:
    found = [f"{mark} {text}" for mark, text in step.expected if not fits(mark, text, ran)]
    return [*found, "no traceback"] if "Traceback" in ran.stderr else found


def play(name: str, tmp_path: Path, corpus: str = "") -> None:
    home, work = tmp_path / "home", tmp_path
    done = 0
    for step in steps(FOLDER / f"{name}.txt"):
        ran = run(step, home, work, corpus)
        wrong = differences(step, ran)
        told = f"{name}.txt:{step.number}: {step.command}\n{ran.stdout[-800:]}\n{ran.stderr[-800:]}"
        assert wrong == [], told
        done += 1
    print(f"{done} commands")
    assert done


def test_a_demo_home_from_nothing(tmp_path: Path) -> None:
    play("demo", tmp_path)


def test_files_alone(tmp_path: Path) -> None:
    play("files", tmp_path)


@pytest.mark.corpus
def test_seals_of_other_makers(tmp_path: Path, corpus: Path) -> None:
    play("corpus_seals", tmp_path, str(corpus))
