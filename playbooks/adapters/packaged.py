"""The data of the release: playbooks, classes and clocks under ``rules/``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import orjson

_SUFFIX: Final = ".json"
_SAMPLE: Final = ".sample.json"


class PackagedLibrary:
    """Implements ``playbooks.ports.Library``; each file is read once, when first asked for."""

    @cached_property
    def _classification(self) -> Mapping[str, Any]:
        return _read("gbt20986.json")

    @cached_property
    def _reporting_rule(self) -> Mapping[str, Any]:
        return _read("incident_reporting.json")

    @cached_property
    def _working_days(self) -> Mapping[str, Any]:
        return _read("working_days.json")

    @cached_property
    def _notice_templates(self) -> Mapping[str, Any]:
        templates: Mapping[str, Any] = _read("notice_templates.json")["templates"]
        return templates

    @cached_property
    def _playbooks(self) -> Mapping[str, bytes]:
        return {
            entry.name.removesuffix(_SUFFIX): entry.read_bytes()
            for entry in sorted(files("rules.playbooks").iterdir(), key=lambda e: e.name)
            if entry.name.endswith(_SUFFIX) and not entry.name.endswith(_SAMPLE)
        }

    def classification(self) -> Mapping[str, Any]:
        """Return ``gbt20986.json``."""
        return self._classification

    def reporting_rule(self) -> Mapping[str, Any]:
        """Return ``incident_reporting.json``."""
        return self._reporting_rule

    def working_days(self) -> Mapping[str, Any]:
        """Return ``working_days.json``."""
        return self._working_days

    def notice_templates(self) -> Mapping[str, Any]:
        """Return the templates of ``notice_templates.json`` by name."""
        return self._notice_templates

    def playbooks(self) -> Mapping[str, bytes]:
        """Return the packaged playbooks by name."""
        return self._playbooks


def _read(name: str) -> Mapping[str, Any]:
    value: Mapping[str, Any] = orjson.loads(files("rules.policies").joinpath(name).read_bytes())
    return value
