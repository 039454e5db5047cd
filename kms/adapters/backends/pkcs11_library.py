"""Opening a PKCS#11 library for many threads (OASIS PKCS #11 v2.40 §5.4).

python-pkcs11 initialises without arguments, which promises the library that one thread at a time
calls it: SoftHSM then takes no lock, and two signatures at once end the process. So the library
is initialised here, with leave to use the system's locks, and python-pkcs11 only uses it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cffi

from kms.errors.backends import BackendFault

_DECLARATIONS: Final = """
typedef unsigned long rv;
typedef struct { void *create, *destroy, *lock, *unlock; unsigned long flags; void *reserved; } how;
typedef struct { unsigned char major, minor; rv (*begin)(how *); rv (*end)(void *); } functions;
rv C_GetFunctionList(functions **list);
"""
"""The beginnings of CK_C_INITIALIZE_ARGS and CK_FUNCTION_LIST, as they are outside Windows."""
_OS_LOCKING_OK: Final = 2
_ALREADY_INITIALISED: Final = 0x191
_NOT_INITIALISED: Final = 0x190


class _Beginning:
    """Calls C_Initialize and C_Finalize of one library."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._ffi = cffi.FFI()
        self._ffi.cdef(_DECLARATIONS)
        try:
            self._library = self._ffi.dlopen(str(path))
            found = self._ffi.new("functions **")
            self._demand(self._library.C_GetFunctionList(found), "GetFunctionList")
        except (OSError, AttributeError) as error:
            raise BackendFault(f"{path.name} is no PKCS#11 library") from error
        self._functions = found[0]

    def begin(self) -> None:
        """Initialise the library; raise ``BackendFault``, also where it can't lock."""
        code = self._begin()
        if code == _ALREADY_INITIALISED:  # by whoever: nobody knows with what promise
            self.end()
            code = self._begin()
        self._demand(code, "Initialize")

    def end(self) -> None:
        """Let go of all sessions; nothing happens to a library that is not in use."""
        code = self._functions.end(self._ffi.NULL)
        if code != _NOT_INITIALISED:
            self._demand(code, "Finalize")

    def _begin(self) -> int:
        return int(self._functions.begin(self._ffi.new("how *", {"flags": _OS_LOCKING_OK})))

    def _demand(self, code: int, call: str) -> None:
        if code:
            raise BackendFault(f"{self._name}: C_{call} gave {code:#x}")


def open_library(path: Path) -> Any:
    """Return python-pkcs11's object of the library, initialised; raise ``BackendFault``."""
    from pkcs11._pkcs11 import lib  # noqa: PLC0415 - heavy, and only where a token is configured

    beginning = _Beginning(path)

    class ThreadedLibrary(lib):
        """Begun and ended by us."""

        def initialize(self) -> None:
            beginning.begin()

        def reinitialize(self) -> None:
            beginning.end()
            beginning.begin()

    return ThreadedLibrary(str(path))
