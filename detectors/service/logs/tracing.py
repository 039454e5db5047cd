"""Tracing a subject through logs and ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.privacy.masking import subject_digests
from detectors.core.privacy.tracing import subject_query, trace_rows
from detectors.models.privacy import Trace
from detectors.ports.privacy import PrivacyKeys
from detectors.service.logs.log_search import Written, read_window
from detectors.service.logs.privacy import Recognition
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_TRACE
from secops.kernel.trail import Act

MAX_TRACED: Final = 10_000
MAX_SUBJECT: Final = 200
_MIN_SUBJECT: Final = 3


@dataclass(frozen=True, slots=True)
class TracingService:
    """Use cases on who touched what."""

    parts: Parts
    store: LogStore
    recognition: Recognition
    keys: PrivacyKeys
    timezone: str

    def trace_subject(self, actor: Actor, subject: str, *, window: Written = (None, None)) -> Trace:
        """Return who touched ``subject``: a number, an account, an address, a key, a seal.

        ``window`` is (since, until) as a person writes them. Masked lines are found by the
        keyed digest of the number that stood there; the act in the ledger holds a keyed digest
        of the subject only. Raises ``Invalid``.
        """
        self.parts.access.require(actor, LOG_TRACE, "logs:*")
        written = subject.strip()
        if not _MIN_SUBJECT <= len(written) <= MAX_SUBJECT:
            raise Invalid(f"a subject has {_MIN_SUBJECT} to {MAX_SUBJECT} characters")
        ready = self.keys.ready()
        span = read_window(window, self.timezone, self.parts.clock.now())
        scanner = self.recognition.scanner
        digests = subject_digests(scanner, written, self.keys.digest) if ready else ()
        query = subject_query(written, digests)
        # keyed: a plain digest of a number could be guessed
        details = {"subject": self.keys.digest(written.encode()).hex()} if ready else {}
        self.parts.trail.append([Act("detectors.trace_subject", actor, "logs:*", details=details)])
        found = [each.event for each in self.store.search(query, span, MAX_TRACED + 1)]
        classes = tuple(digest.partition(":")[0] for digest in digests)
        complete = len(found) <= MAX_TRACED
        return Trace(trace_rows(found[:MAX_TRACED]), len(found[:MAX_TRACED]), classes, complete)
