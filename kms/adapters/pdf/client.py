"""Asks the worker process about one PDF."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson

from kms.errors.seals import DocumentRejected
from kms.ports.pdf import FoundSignature, PdfRequest, PreparedPdf
from secops.kernel.errors import TooMany

_PATIENCE: Final = 30.0
"""Seconds on the wall; the worker's own limit is in seconds of processor."""

_MAX_ANSWER: Final = 64 << 20


_AT_ONCE: Final = 8
"""Child processes: more than the public verification may have, so that it never takes all."""

_RETRY_SECONDS: Final = 5


class PyHankoFiles:
    """One child process a question; it never sees a key. More than a few at once wait.

    Raises ``TooMany`` where there is no place for long.
    """

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        """Return ``document`` with room for a signature; raise ``DocumentRejected``."""
        wanted = asdict(request)
        wanted["place"]["picture"] = base64.b64encode(request.place.picture).decode()
        answer, content = self._ask({"do": "prepare", **wanted}, document)
        return PreparedPdf(content, answer["start"], answer["end"])

    def signatures(self, document: bytes) -> Sequence[FoundSignature]:
        """Return the signatures in ``document``; raise ``DocumentRejected``."""
        answer, _ = self._ask({"do": "signatures"}, document)
        return [_found(each) for each in answer["signatures"]]

    def _ask(self, question: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
        if not self._places.acquire(timeout=_PATIENCE):
            msg = "too many PDFs are being read"
            raise TooMany(msg, retry_after=_RETRY_SECONDS)
        try:
            return _ask(question, document)
        finally:
            self._places.release()


def _found(record: dict[str, Any]) -> FoundSignature:
    fields = {
        **record,
        "byte_range": tuple(record["byte_range"]),
        "contents": base64.b64decode(record["contents"]),
        "signer_certificate": base64.b64decode(record["signer_certificate"]),
    }
    return FoundSignature(**fields)


def _ask(question: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the worker's answer: one line of JSON, and the bytes behind it."""
    command = [sys.executable, "-I", "-m", "kms.adapters.pdf.worker"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, nothing of the file
            command,
            input=orjson.dumps(question) + b"\n" + document,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        msg = "the PDF takes too long to read"
        raise DocumentRejected(msg) from error
    head, _, content = done.stdout.partition(b"\n")
    if done.returncode or len(done.stdout) > _MAX_ANSWER or not head:
        msg = "the PDF can't be read within the limits of time and memory"
        raise DocumentRejected(msg)
    answer = orjson.loads(head)
    if "refused" in answer:
        raise DocumentRejected(answer["refused"])
    return answer, content
