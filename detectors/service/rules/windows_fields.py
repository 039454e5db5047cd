"""Which fields Windows' own events carry: data beside the log source tables."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources

from detectors.core.formats.windows import SYSTEM
from detectors.core.sigma.lint import Catalogue
from detectors.service.rules.rule_stamp import WINDOWS_FIELDS


@lru_cache(maxsize=1)
def windows_fields() -> Catalogue:
    """Return the fields of an event by channel and event id, those of System among them."""
    text = (resources.files("rules") / "logsources" / WINDOWS_FIELDS).read_text("utf-8")
    document = tomllib.loads(text)
    system = document["system"]["names"]
    everywhere = {*system, *(SYSTEM + name for name in system)}
    found: dict[tuple[str, str], frozenset[str]] = {}
    for event in document["event"]:
        shared = (name for group in event.get("groups", ()) for name in document["groups"][group])
        names = frozenset({*everywhere, *shared, *event.get("names", ())})
        found.update({(channel, event["id"]): names for channel in event["channels"]})
    return found
