"""The number of the compiler: another one for every change that compiles some rule otherwise."""

from __future__ import annotations

from typing import Final

COMPILER_VERSION: Final = 4
