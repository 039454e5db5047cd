"""hvac's own tests of its transit client, from its source distribution, against our gateway.

``install.sh`` puts the distribution into a cache outside the tree. The tests expect to start a
Vault of their own and to be root in it; ``two_tokens`` gives them our gateway instead, where
whoever makes keys may not use them: it sends each request with the token that may.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from secops.settings import bare_environment

ARCHIVE: Final = Path.home() / ".cache" / "govsecops" / "hvac" / "hvac-2.4.0.tar.gz"
_MODULE: Final = "tests/integration_tests/api/secrets_engines/test_transit.py"
_OUTCOME: Final = re.compile(r"^\S+::(\w+) (PASSED|FAILED|ERROR|SKIPPED)", re.MULTILINE)
_SECONDS: Final = 300
_VAULT: Final = "#!/bin/sh\necho 'Vault v1.21.4'\n"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where our gateway is, and who speaks to it: who keeps keys, and who uses them."""

    url: str
    keeper_token: str
    user_token: str
    user: str


def missing() -> str:
    """Return why the suite can't run here; empty if it can."""
    if ARCHIVE.exists():
        return ""
    return "hvac's source distribution is not here; run tests/services/install.sh"


def run_suite(folder: Path, gateway: Gateway) -> tuple[dict[str, str], str]:
    """Unpack the suite into ``folder`` and run it; return each test's outcome, and the report."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    root = folder / "hvac-2.4.0"
    programs = folder / "programs"
    programs.mkdir()
    (programs / "vault").write_text(_VAULT)
    (programs / "vault").chmod(0o755)
    (root / "gateway.json").write_text(json.dumps(asdict(gateway)))
    environment = bare_environment()
    environment |= {
        "PATH": f"{programs}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parent}",
    }
    options = ("-p", "two_tokens", "-p", "no:cacheprovider", "-o", "addopts=", "-v", "--tb=short")
    ran = subprocess.run(
        (sys.executable, "-m", "pytest", *options, _MODULE),
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return dict(_OUTCOME.findall(ran.stdout)), ran.stdout + ran.stderr
