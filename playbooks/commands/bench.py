"""``secops bench playbooks``: the figures of this plane."""

from __future__ import annotations

from importlib.resources import files
from typing import Any


def figures() -> list[dict[str, Any]]:
    """Return the figures; they need no home and leave nothing behind."""
    from playbooks.service.playbooks.bench import measure  # noqa: PLC0415 - quick --help

    packaged = {
        entry.name: entry.read_bytes()
        for entry in files("rules.playbooks").iterdir()
        if entry.name.endswith(".json") and not entry.name.endswith(".sample.json")
    }
    return measure(packaged)
