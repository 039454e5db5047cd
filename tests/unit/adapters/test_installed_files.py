"""Installed files are compared with the list that the installer wrote."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from secops.bridges import doctor
from secops.bridges.installed import InstalledFiles, examine_installed

PACKAGES = ("rules", "audits")
FILES = {"rules/a.json": b"{}", "rules/deep/b.yml": b"b", "audits/c.py": b"c", "other/d.py": b"d"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    rows = []
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        rows.append(f"{name},sha256={digest},{len(content)}")
    info = tmp_path / "govsecops-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: govsecops\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("\n".join([*rows, "audits/__pycache__/c.pyc,,", "x", ""]))
    return tmp_path


def examine(site: Path) -> InstalledFiles:
    found = PathDistribution(site / "govsecops-0.1.0.dist-info")
    return examine_installed(found, PACKAGES)


def test_what_was_installed_is_as_it_was(site: Path) -> None:
    (site / "rules" / "__pycache__").mkdir()
    (site / "rules" / "__pycache__" / "x.pyc").write_bytes(b"made")
    (site / "other" / "e.py").write_bytes(b"not ours")
    assert examine(site) == InstalledFiles(3, ())


def test_edited_removed_and_added_files_are_named(site: Path) -> None:
    (site / "rules" / "a.json").write_bytes(b"[]")
    (site / "audits" / "c.py").unlink()
    (site / "rules" / "deep" / "quiet.yml").write_bytes(b"")
    named = ("audits/c.py", "rules/a.json", "rules/deep/quiet.yml")
    assert examine(site) == InstalledFiles(3, named)


def test_a_source_tree_has_no_list(site: Path) -> None:
    (site / "govsecops-0.1.0.dist-info" / "RECORD").unlink()
    assert examine(site) == InstalledFiles(0, ())


@pytest.mark.parametrize(
    ("edit", "state"), [(lambda _: None, "ok"), (lambda path: path.write_bytes(b"[]"), "fault")]
)
def test_doctor_says_which(
    site: Path, monkeypatch: pytest.MonkeyPatch, edit: object, state: str
) -> None:
    found = PathDistribution(site / "govsecops-0.1.0.dist-info")
    monkeypatch.setattr(doctor, "distribution", lambda _: found)
    monkeypatch.setattr(doctor, "OURS", PACKAGES)
    assert callable(edit)
    edit(site / "rules" / "a.json")
    finding = doctor._installed()
    assert finding.state == state
    assert ("rules/a.json" in finding.seen) is (state == "fault")
