"""Which engines may be used here: those whose known-answer test passes in this process.

``power_on_self_test`` runs all tests and is asked before anything is served. An engine
that was not tested yet is tested when it is first required; one that failed stays refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from secops.crypto.errors import EngineUnavailable
from secops.crypto.self_test import KNOWN_ANSWER_TESTS
from secops.kernel.errors import SecopsError

_defects: Final[dict[str, str | None]] = {}


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """What each engine answered: None, or what was wrong."""

    defects: Mapping[str, str | None]

    @property
    def passed(self) -> bool:
        """Tell whether every engine gave its known answers."""
        return not any(self.defects.values())

    def require_all(self) -> None:
        """Return if every engine passed; raise ``EngineUnavailable`` naming those that failed."""
        failed = {name: defect for name, defect in self.defects.items() if defect}
        if failed:
            msg = "; ".join(f"{name}: {defect}" for name, defect in failed.items())
            raise EngineUnavailable(msg)


def power_on_self_test(
    tests: Mapping[str, Callable[[], None]] = KNOWN_ANSWER_TESTS,
) -> SelfTestReport:
    """Run every engine's known-answer test and remember the outcome for ``require_engine``."""
    for name, test in tests.items():
        _defects[name] = _defect_of(test)
    return SelfTestReport({name: _defects[name] for name in tests})


def require_engine(engine: str) -> None:
    """Return if ``engine`` gave its known answers; raise ``EngineUnavailable`` otherwise."""
    if engine not in _defects:
        _defects[engine] = _defect_of(KNOWN_ANSWER_TESTS[engine])
    defect = _defects[engine]
    if defect is not None:
        msg = f"the engine {engine} is refused: {defect}"
        raise EngineUnavailable(msg)


def _defect_of(test: Callable[[], None]) -> str | None:
    try:
        test()
    except SecopsError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 - whatever a broken engine raises refuses it
        return type(error).__name__
    return None
