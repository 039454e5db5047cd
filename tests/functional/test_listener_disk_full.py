"""A disk that fills up under the syslog listener: acknowledged is stored, the rest waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.service

ROOT = Path(__file__).resolve().parents[2]


def run_on_small_disk(mode: str, megabytes: int = 24) -> dict[str, Any]:
    """Tell the story on a tmpfs of its own, in a mount namespace of its own."""
    if os.geteuid() != 0:
        pytest.skip("a private mount namespace needs root")
    script = (
        f"mount -t tmpfs -o size={megabytes}m tmpfs /mnt &&"
        f" exec {sys.executable} -m tests.functional.listener_disk_full /mnt {mode}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode != 0 and ("unshare" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"no private mount namespace here: {done.stderr.strip()[:120]}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_acknowledged_while_the_disk_fills_up_is_stored_and_the_rest_comes_later() -> None:
    found = run_on_small_disk("real")
    print(f"disk full under syslog: {found}")
    assert 0 < found["acknowledged_when_full"] < found["sent"]
    expected = {
        "bulk_when_full": "detectors.log_store_unavailable",
        "bad_when_full": "detectors.log_store_unavailable",
        "store_when_full": "detectors.log_store_unavailable",
        "acknowledged": found["sent"],
        "stored": found["sent"],
        "double": 0,
    }
    assert {name: found[name] for name in expected} == expected


def test_the_control_that_acknowledges_before_it_writes_loses_lines() -> None:
    found = run_on_small_disk("answer_first")
    print(f"control: {found}")
    assert found["acknowledged"] == found["sent"]
    assert found["stored"] < found["sent"]
