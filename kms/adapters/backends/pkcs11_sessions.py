"""Sessions with a PKCS#11 token: logged in once, kept in a pool, opened anew after trouble.

``pkcs11`` is imported when a token is first needed. A library belongs to a process: after a
fork it is initialised again. It is also initialised again when a check finds a token gone, for
libraries read their slots only then; calls under way are waited for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kms.adapters.backends.pkcs11_library import open_library
from kms.errors.backends import BackendFault, BackendMisconfigured, BackendRefused

_DRAIN_SECONDS: Final = 2.0
_PIN_ERRORS: Final = frozenset(
    {"PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "PinExpired"}
)


class Library:
    """One PKCS#11 library in this process, shared by all tokens behind it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Condition()
        self._process = 0
        self._opened: Any = None
        self._calls = 0
        self._renewing = False
        self.generation = 0
        self.logged_in: set[str] = set()

    @contextmanager
    def in_use(self) -> Iterator[Any]:
        """Yield the library; it is not initialised again meanwhile."""
        with self._lock:
            if self._process != os.getpid():
                self._open()
            if not self._lock.wait_for(lambda: not self._renewing, _DRAIN_SECONDS):
                raise BackendFault(f"{self._path.name} is being initialised again")
            self._calls += 1
        try:
            yield self._opened
        finally:
            with self._lock:
                self._calls -= 1
                self._lock.notify_all()

    def renew(self) -> None:
        """Initialise the library again, once nobody is inside; raise ``BackendFault``."""
        with self._lock:
            self._renewing = True
            try:
                if not self._lock.wait_for(lambda: self._calls == 0, _DRAIN_SECONDS):
                    raise BackendFault(f"calls into {self._path.name} hang")
                self.generation += 1
                self.logged_in.clear()
                if self._opened is None:
                    self._open()
                else:
                    with _faults(self._path.name):
                        self._opened.reinitialize()
            finally:
                self._renewing = False
                self._lock.notify_all()

    def _open(self) -> None:
        with _faults(self._path.name):
            if self._opened is None:
                self._opened = open_library(self._path)
            else:  # the parent's sessions are not ours
                self._opened.reinitialize()
        self.generation += 1
        self.logged_in.clear()
        self._calls = 0
        self._process = os.getpid()


@dataclass(slots=True)
class Session:
    """A session and the handles of keys that were found in it."""

    session: Any
    generation: int
    handles: dict[tuple[str, str], Any] = field(default_factory=dict)


_LIBRARIES: Final[dict[Path, Library]] = {}
_OPENING: Final = threading.Lock()


def shared_library(path: Path | None) -> Library:
    """Return the one ``Library`` of ``path`` in this process; raise ``BackendMisconfigured``."""
    if path is None or not path.is_file():
        raise BackendMisconfigured("PKCS11_LIBRARY names no file")
    with _OPENING:
        return _LIBRARIES.setdefault(path, Library(path))


class TokenSessions:
    """Sessions with the token called ``label``. The PIN is never shown."""

    def __init__(self, path: Path | None, label: str, pin: str | None) -> None:
        self._path = path
        self._label = label
        self._pin = pin
        self._free: list[Session] = []
        self._refused = False

    def __repr__(self) -> str:
        return f"TokenSessions({self._label!r})"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session that is logged in; one that fails is not used again."""
        from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415 - heavy

        library = shared_library(self._path)
        with library.in_use() as opened:
            try:
                session = self._take(library) or self._open(library, opened)
                yield session
            except PKCS11Error as error:
                self._drop(library)
                library.logged_in.discard(self._label)
                raise fault_of(error, self._label) from None
            self._free.append(session)

    def renew(self) -> None:
        """Initialise the library again: the token may have come back or been reset."""
        shared_library(self._path).renew()

    def forget(self) -> None:
        """Close the sessions that are not in use."""
        library = shared_library(self._path)
        with library.in_use():
            self._drop(library)

    def _drop(self, library: Library) -> None:
        """Close free sessions; never one from before the library was initialised again.

        Its handle may be that of another token's new session by now.
        """
        while self._free:
            with suppress(Exception):  # its token may be gone
                session = self._free.pop()
                if session.generation == library.generation:
                    session.session.close()

    def mechanisms(self) -> frozenset[Any]:
        """Return what the token can do."""
        with shared_library(self._path).in_use() as opened, _faults(self._label):
            return frozenset(_token(opened, self._label).slot.get_mechanisms())

    def probe(self) -> None:
        """Open a session and close it: a token that is gone is seen only there."""
        with shared_library(self._path).in_use() as opened, _faults(self._label):
            _token(opened, self._label).open(rw=True).close()

    def _take(self, library: Library) -> Session | None:
        while self._free:
            with suppress(IndexError):  # another thread took the last one
                session = self._free.pop()
                if session.generation == library.generation:
                    return session
        return None

    def _open(self, library: Library, opened: Any) -> Session:
        if self._refused:
            # each further try with a wrong PIN brings the token nearer to locking itself
            raise BackendRefused(f"{self._label} refused the PIN; it is not tried again")
        from pkcs11.exceptions import UserAlreadyLoggedIn  # noqa: PLC0415 - heavy

        token = _token(opened, self._label)
        with _OPENING:
            if self._label not in library.logged_in:
                session = self._log_in(token, UserAlreadyLoggedIn)
                library.logged_in.add(self._label)
            else:
                session = token.open(rw=True)
        return Session(session, library.generation)

    def _log_in(self, token: Any, already: type[Exception]) -> Any:
        from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415 - heavy

        try:
            return token.open(rw=True, user_pin=self._pin)
        except already:
            return token.open(rw=True)
        except PKCS11Error as error:
            self._refused = type(error).__name__ in _PIN_ERRORS
            raise


def _token(opened: Any, label: str) -> Any:
    """Return the token called ``label``; another one that is broken does not hide it."""
    from pkcs11.exceptions import NoSuchToken, PKCS11Error  # noqa: PLC0415 - heavy

    for slot in opened.get_slots(token_present=True):
        with suppress(PKCS11Error):
            token = slot.get_token()
            if token.label == label:
                return token
    raise NoSuchToken


@contextmanager
def _faults(name: str) -> Iterator[None]:
    """Raise our error for a library's."""
    from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415 - heavy

    try:
        yield
    except PKCS11Error as error:
        raise fault_of(error, name) from None


def fault_of(error: Exception, name: str) -> BackendFault:
    """Return our error of a library's: its kind alone, for its text may hold what it was given."""
    kind = type(error).__name__
    if kind in _PIN_ERRORS:
        return BackendRefused(f"{name}: {kind}")
    return BackendFault(f"{name}: {kind}")
