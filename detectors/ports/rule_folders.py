"""What rule folders of others need: their files in the home, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from detectors.models.rule_folders import Collected, FolderPolicy, RuleFolder
from detectors.models.rules import RuleFile
from secops.kernel.transactions import Transaction


class RuleFolderFiles(Protocol):
    """Keeps the files of folders; what was altered since is never handed out."""

    def collect(self, path: Path) -> Collected:
        """Read a folder within the limits; raise ``RuleFolderRefused`` naming what breaks them."""
        ...

    def unpack(self, content: bytes) -> Collected:
        """Read a zip of a folder within the limits; raise ``RuleFolderRefused`` as ``collect``."""
        ...

    def save(self, name: str, collected: Collected) -> str:
        """Store them and return the hex SHA-256 of the manifest, durable when it returns."""
        ...

    def rule_files(self, name: str, digest: str) -> Sequence[RuleFile]:
        """Return a folder's files; one that was altered has no content and says so."""
        ...

    def notices(self, name: str, digest: str) -> Mapping[str, str]:
        """Return the licence texts that came with a folder, by place."""
        ...

    def remove(self, name: str, digest: str) -> None:
        """Remove the files; nothing happens where there are none."""
        ...


class RuleFolderStore(Protocol):
    """Keeps which folders there are and which of their rules run."""

    def folders(self, tx: Transaction, org_id: str) -> Sequence[RuleFolder]:
        """Return them by name."""
        ...

    def put(self, tx: Transaction, org_id: str, folder: RuleFolder) -> None:
        """Store a folder, in the place of one of the same name."""
        ...

    def set_policy(self, tx: Transaction, org_id: str, name: str, policy: FolderPolicy) -> bool:
        """Store which rules run; False if there is no such folder."""
        ...

    def remove(self, tx: Transaction, org_id: str, name: str) -> bool:
        """Forget a folder; False if there is none."""
        ...
