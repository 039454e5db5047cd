"""Clients from npm that nobody here wrote, in a cache outside the tree (``install.sh``)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("judge.mjs")
LEAST_NODE = 20


def cache_folder() -> Path:
    """Return the folder of the npm packages, as ``install.sh`` names it."""
    return Path.home() / ".cache" / "govsecops" / "node" / "node_modules"


def missing() -> str:
    """Return why the judges can't run here; empty if they can."""
    node = shutil.which("node")
    if node is None:
        return "node is not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").partition(".")[0]) < LEAST_NODE:
        return f"node {version.stdout.strip()} is older than {LEAST_NODE}"
    if not (cache_folder() / "openid-client").is_dir():
        return "npm packages are not installed; run tests/services/install.sh"
    return ""


def judge(given: dict[str, Any], browser: Callable[[dict[str, str]], str]) -> dict[str, Any]:
    """Run the judges; ``browser`` does what they ask a browser for and returns an address."""
    process = subprocess.Popen(
        [shutil.which("node") or "node", str(SCRIPT), str(cache_folder())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            said = json.loads(line)
            if "report" in said:
                found: dict[str, Any] = said["report"]
                return found
            process.stdin.write(json.dumps(browser(said)) + "\n")
            process.stdin.flush()
        raise AssertionError(process.stderr.read())
    finally:
        process.kill()
        process.communicate()
