"""``/verify``: anybody may verify a seal; files stay in memory and are never stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from secops.console.parts import Desk, get_page, post_page
from secops.kernel.clock import Clock
from secops.kernel.errors import Invalid, SecopsError, TooMany
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_PUBLIC: Final = Public("verification of seals is for everybody; nothing is stored")
_MAX_BODY: Final = 41 << 20
_PER_MINUTE: Final = 20
_WINDOW_SECONDS: Final = 60.0
_MAX_CALLERS: Final = 10_000


@dataclass(slots=True)
class RateLimit:
    """At most ``per_minute`` calls a minute and address, in this process."""

    clock: Clock
    per_minute: int = _PER_MINUTE
    _seen: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, caller: str) -> None:
        """Count one call; raise ``TooMany`` with the seconds to wait."""
        now = self.clock.monotonic()
        with self._lock:
            calls = [at for at in self._seen.pop(caller, []) if now - at < _WINDOW_SECONDS]
            refused = len(calls) >= self.per_minute
            if not refused:
                calls.append(now)
            self._seen[caller] = calls
            while len(self._seen) > _MAX_CALLERS:
                self._seen.popitem(last=False)
        if refused:
            wait = int(_WINDOW_SECONDS - (now - calls[0])) + 1
            raise TooMany(f"at most {self.per_minute} files a minute", retry_after=wait)


@dataclass(frozen=True, slots=True)
class _Verify:
    desk: Desk
    limit: RateLimit

    def ask(self, request: Request) -> Response:
        """Ask for the file."""
        return self.desk.page(request, "kms/verify.html", report=None, error=None, name="")

    def verify_seal(self, request: Request) -> Response:
        """Verify the uploaded file and show each step."""
        self.limit.spend(request.remote)
        files = request.files
        sealed, document = files.get("sealed"), files.get("document")
        report, error = None, None
        name = sealed.filename if sealed else ""
        try:
            if sealed is None or not sealed.content:
                raise Invalid("choose a seal, a signature value or a sealed document")
            whole = document.content if document is not None and document.content else None
            report = self.desk.parts.kms.seal_verification.verify_seal(sealed.content, whole)
        except SecopsError as refused:
            error = refused
        status = error.status if error else 200
        return self.desk.page(
            request, "kms/verify.html", status, report=report, error=error, name=name
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the public page."""
    here = _Verify(desk, RateLimit(desk.parts.clock))
    return (
        get_page("/verify", "show_verification", _PUBLIC, here.ask),
        post_page("/verify", "verify_seal_form", _PUBLIC, here.verify_seal, max_body=_MAX_BODY),
    )
