"""What is in the release: data, and printers of reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from playbooks.models.reports import PrintedReport


class Library(Protocol):
    """Data in the release: own playbooks, GB/T 20986 classes, the reporting rule."""

    def classification(self) -> Mapping[str, Any]:
        """Return ``gbt20986.json``."""
        ...

    def reporting_rule(self) -> Mapping[str, Any]:
        """Return ``incident_reporting.json``."""
        ...

    def working_days(self) -> Mapping[str, Any]:
        """Return ``working_days.json``."""
        ...

    def notice_templates(self) -> Mapping[str, Any]:
        """Return the templates of ``notice_templates.json`` by name."""
        ...

    def playbooks(self) -> Mapping[str, bytes]:
        """Return the packaged playbooks by name (``contain_account``)."""
        ...


class ReportPrinter(Protocol):
    """Sets reports as files of an office."""

    def print_report(self, report: PrintedReport) -> bytes:
        """Return the file; raise ``FontUnavailable`` if its texts can't be set."""
        ...
