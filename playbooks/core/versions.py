"""What was decided about one version of something is not done to another."""

from __future__ import annotations

from playbooks.errors import ChangedMeanwhile


def require_version(name: str, version: int, read: int | None) -> None:
    """Raise ``ChangedMeanwhile`` if ``name`` was ``read`` as another version; None takes any."""
    if read is not None and read != version:
        msg = f"{name} changed since it was read"
        raise ChangedMeanwhile(msg)
