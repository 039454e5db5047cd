"""Tokens of SoftHSM2 (Debian: softhsm2) in a temporary folder: made, pulled out and pushed back.

The library reads where its tokens lie once for the whole process, so there is one folder.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from kms.adapters.backends.pkcs11 import Pkcs11Backend
from kms.models.backends import BackendOptions
from secops.kernel.ids import SystemRandomness

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "canary-pin-83615029"
_NUMBERS = count(1)


@dataclass
class Tokens:
    """A folder of tokens."""

    folder: Path
    _away: dict[str, Path] = field(default_factory=dict)

    def make(self, label: str = "") -> str:
        """Make a token; return its label."""
        label = label or f"token-{next(_NUMBERS)}"
        before = self._folders()
        self._run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN)
        (made,) = self._folders() - before
        self._away[label] = made
        return label

    def backend(self, label: str = "", **options: object) -> Pkcs11Backend:
        """Return the backend of a token, of a new one if it has no label."""
        label = label or self.make()
        return Pkcs11Backend(self.options(label, **options), SystemRandomness())

    def options(self, label: str, **options: object) -> BackendOptions:
        """Return how the token ``label`` is configured."""
        chosen = {"library": LIBRARY, "token": label, "secret": PIN, "time_limit": 20.0}
        return BackendOptions(label, "pkcs11", **(chosen | options))

    def pull(self, label: str) -> None:
        """Take the token out of its reader."""
        self._away[label].rename(self.folder / f"{label}.away")

    def push(self, label: str) -> None:
        """Put it back."""
        (self.folder / f"{label}.away").rename(self._away[label])

    def delete(self, label: str) -> None:
        """Erase the token with all that is on it."""
        self._run("--delete-token", "--token", label)

    def _folders(self) -> set[Path]:
        return set((self.folder / "tokens").iterdir())

    def _run(self, *arguments: str) -> None:
        command = [shutil.which("softhsm2-util") or "softhsm2-util", *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="session")
def tokens() -> Iterator[Tokens]:
    """A folder of tokens for this process; skips where SoftHSM2 is absent."""
    if shutil.which("softhsm2-util") is None or not LIBRARY.is_file():
        pytest.skip("no SoftHSM2 (Debian: softhsm2)")
    with tempfile.TemporaryDirectory(prefix="softhsm") as name:
        folder = Path(name)
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        lines = (f"directories.tokendir = {folder}/tokens", "objectstore.backend = file")
        configuration.write_text("\n".join((*lines, "log.level = ERROR", "")))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOFTHSM2_CONF", str(configuration))
            yield Tokens(folder)
