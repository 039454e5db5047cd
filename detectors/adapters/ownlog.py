"""The platform's own log: ECS JSON lines by role and UTC day under ``home/log``.

Many processes append to one file: a line is one ``write`` on a descriptor in append mode, and
nobody renames. A new day is a new file. Days that were over long enough to have been read are
removed (``forget_before``).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from detectors.models.logs import LogSource
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import Clock, from_rfc3339, to_rfc3339
from secops.kernel.trail import Act

Outcome = Literal["success", "failure", "unknown"]
_MAX_TEXT: Final = 8_192
_DAY: Final = len("2026-11-22")
_OUTCOMES: Final[dict[str, Outcome]] = {
    "done": "success",
    "refused": "failure",
    "failed": "failure",
    "intent": "unknown",
    "unknown": "unknown",
}


def ecs_line(
    at: int,
    action: str,
    outcome: Outcome,
    *,
    category: str = "process",
    fields: Mapping[str, str | int | bool | None] | None = None,
) -> bytes:
    """Return one line without LF; ``fields`` are dotted ECS names, None is left out.

    Sign-ins are ``ecs_line(now, "sign_in", "failure", category="authentication",
    fields={"user.name": …, "source.ip": …, "session.id": …})``. Never put a secret in.
    """
    document: dict[str, Any] = {
        "@timestamp": to_rfc3339(at),
        "event.module": "secops",
        "event.category": category,
        "event.action": action,
        "event.outcome": outcome,
    }
    for name, value in (fields or {}).items():
        if value is not None:
            document[name] = value[:_MAX_TEXT] if isinstance(value, str) else value
    return orjson.dumps(document)


def act_line(act: Act, at: int, *, remote: str = "") -> bytes:
    """Return the line of an act of the ledger: who did what to what, and how it went."""
    actor = act.actor
    category = "authentication" if act.action.startswith("iam.sign_in") else "iam"
    fields: dict[str, str | int | bool | None] = {
        "user.id": actor.id,
        "user.name": actor.name,
        "organization.id": actor.org_id,
        "session.id": actor.session_id,
        "client.id": actor.client_id,
        "secops.target": act.target,
        "http.request.id": act.request_id,
        "source.ip": remote or None,
    }
    return ecs_line(at, act.action, _OUTCOMES[act.outcome], category=category, fields=fields)


class OwnLog:
    """Appends lines to ``folder/<role>.<day>.jsonl``."""

    def __init__(self, folder: Path, role: str, clock: Clock) -> None:
        self._folder = folder
        self._role = role
        self._clock = clock
        self._day = ""
        self._descriptor = -1
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Append ``line``; raises ``OSError``."""
        day = to_rfc3339(self._clock.now())[:_DAY]
        with self._lock:
            if day != self._day:
                self._open(day)
            os.write(self._descriptor, line + b"\n")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor, self._day = -1, ""

    def _open(self, day: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._role}.{day}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._day = descriptor, day


class OwnLogHandler(logging.Handler):
    """Writes records of Python's logging into the own log."""

    def __init__(self, log: OwnLog, clock: Clock) -> None:
        super().__init__()
        self._log = log
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Append ``record``; what can't be written is reported as logging does."""
        try:
            failed = record.levelno >= logging.ERROR
            fields: dict[str, str | int | bool | None] = {
                "log.level": record.levelname.lower(),
                "log.logger": record.name,
                "message": record.getMessage(),
                "process.pid": record.process,
                "error.type": _raised(record),
            }
            line = ecs_line(
                self._clock.now(), "log_message", "failure" if failed else "success", fields=fields
            )
            self._log.write(line)
        except (OSError, ValueError, TypeError):
            self.handleError(record)


def own_sources(folder: Path) -> Sequence[LogSource]:
    """Return the own logs as followed sources: one per role, a file a day."""
    return [
        LogSource(
            name=f"secops-{path.name.partition('.')[0]}",
            org_id=ROOT_ORG,
            format="ecs",
            timezone="UTC",
            path=str(path),
            follow=True,
        )
        for path in sorted(folder.glob("*.*.jsonl"))
    ]


def forget_before(folder: Path, instant: int) -> int:
    """Remove own logs of days that ended before ``instant``; return how many."""
    removed = 0
    for path in folder.glob("*.*.jsonl"):
        day = path.name.split(".")[1]
        if from_rfc3339(f"{day}T23:59:59Z") < instant:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _raised(record: logging.LogRecord) -> str | None:
    kind = record.exc_info[0] if record.exc_info else None
    return None if kind is None else kind.__name__
