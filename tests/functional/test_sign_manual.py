"""The manual for integrators, run literally: shell, Python and Java against a served home."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from secops.cli.bench.served import bare_environment, serve
from tests.fakes.demo_site import make_demo_home

pytestmark = pytest.mark.service
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual" / "sign_from_your_system.md"
BLOCK = re.compile(r"^```(sh|python|java)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = ("bash", "curl", "jq", "openssl", "java")
OWN = Path(sys.executable).parent


def script(blocks: list[tuple[str, str]], folder: Path) -> str:
    """What somebody types who follows the manual; files it tells to save are saved."""
    lines = ["set -euo pipefail"]
    for number, (language, text) in enumerate(blocks):
        if language == "sh":
            lines.append(text)
        elif language == "python":
            (folder / f"block{number}.py").write_text(text)
            # the manual's second program gets the token that the shell holds already
            lines.append(f'TOKEN="$token" python3 block{number}.py')
        else:
            (folder / "SignInvoice.java").write_text(text)
    return "\n".join(lines)


@pytest.mark.skipif(
    any(shutil.which(program) is None for program in PROGRAMS),
    reason="bash, curl, jq, openssl or java is not installed",
)
def test_an_integrator_who_follows_the_manual_signs_from_shell_python_and_java(
    tmp_path: Path,
) -> None:
    home, folder, tools = tmp_path / "home", tmp_path / "work", tmp_path / "bin"
    make_demo_home(home)
    folder.mkdir()
    tools.mkdir()
    for name, words in (
        ("secops", f'"{OWN}/secops" --home "{home}"'),
        ("python3", f'"{sys.executable}"'),
    ):
        (tools / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (tools / name).chmod(0o755)
    bare = bare_environment()
    blocks = BLOCK.findall(MANUAL.read_text())
    assert [language for language, _ in blocks].count("java") == 1
    with serve(home) as served:
        typed = script(blocks, folder).replace(
            "http://localhost:8080", f"http://localhost:{served.port}"
        )
        done = subprocess.run(
            ["bash", "-c", typed],
            cwd=folder,
            env={**bare, "PATH": f"{tools}:{bare['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    told = done.stdout.splitlines()
    assert [line for line in told if "ledger" not in line][-6:] == [
        "Verified OK",
        "true",
        "100 signatures, the first by version v1",
        "P-256 True",
        "SM2 v1",
        "verified by Java: true",
    ]
