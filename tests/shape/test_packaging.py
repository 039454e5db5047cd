"""What is in git is what is in the wheel; vendored files are the files they claim to be."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("secops", "iam", "kms", "detectors", "playbooks", "audits", "rules")


def tracked() -> set[str]:
    listing = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return set(listing.splitlines())


@pytest.mark.service
def test_the_wheel_holds_exactly_what_git_tracks(tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"),
            *("-w", str(tmp_path), str(source)),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("govsecops-*.whl")
    committed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=source, check=True, capture_output=True, text=True
    ).stdout
    inside = {
        name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("govsecops-")
    }
    assert inside == set(committed.splitlines())


def test_every_source_folder_is_a_package() -> None:
    folders = {Path(name).parent for name in tracked() if name.endswith(".py")}
    bare = {
        folder
        for folder in folders
        if not (ROOT / folder / "__init__.py").is_file()
        and "migrations/versions" not in folder.as_posix()
    }
    assert bare == set()


def test_vendored_files_have_the_hashes_they_are_listed_with() -> None:
    listed = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*\| ([0-9a-f]{64}) \|$",
            (ROOT / "docs/THIRD_PARTY.md").read_text(),
            re.MULTILINE,
        )
    )
    vendor = ROOT / "secops/console/static/vendor"
    actual = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.iterdir()
    }
    assert actual == listed
