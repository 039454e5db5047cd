"""Which engines may be used here: those whose known-answer test passes in this process.

``power_on_self_test`` runs all tests and is asked before anything is served,
``repeat_self_test`` every hour after that, in each process that serves. An engine
that was not tested yet is tested when it is first required; one that failed stays refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from secops.crypto.errors import EngineUnavailable, WrongAnswer
from secops.crypto.self_test import KNOWN_ANSWER_TESTS
from secops.kernel.errors import SecopsError

_defects: Final[dict[str, str | None]] = {}


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """What each engine answered: None, or what was wrong. ``absent`` ones are not here at all."""

    defects: Mapping[str, str | None]
    absent: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        """Tell whether every engine gave its known answers."""
        return not any(self.defects.values())

    def require_sound(self) -> None:
        """Return if no engine computes wrongly; raise ``WrongAnswer`` naming those that do.

        An absent engine (SM2 without OpenSSL 3) is refused by itself and stops nothing else.
        """
        failed = {
            name: defect
            for name, defect in self.defects.items()
            if defect is not None and name not in self.absent
        }
        if failed:
            msg = "; ".join(f"{name}: {defect}" for name, defect in failed.items())
            raise WrongAnswer(msg)


def power_on_self_test(
    tests: Mapping[str, Callable[[], None]] = KNOWN_ANSWER_TESTS,
) -> SelfTestReport:
    """Run every engine's known-answer test and remember the outcome for ``require_engine``."""
    for name in tests:
        _defects.pop(name, None)
    return repeat_self_test(tests)


def repeat_self_test(
    tests: Mapping[str, Callable[[], None]] = KNOWN_ANSWER_TESTS,
) -> SelfTestReport:
    """Run all tests again; an engine that failed once stays refused until the process ends.

    What fails now and then is as broken as what fails always.
    """
    absent = set()
    for name, test in tests.items():
        defect, is_absent = _outcome_of(test)
        if defect is not None or name not in _defects:
            _defects[name] = defect
        if is_absent:
            absent.add(name)
    return SelfTestReport({name: _defects[name] for name in tests}, frozenset(absent))


def refuse_engine(engine: str, why: str) -> None:
    """Refuse ``engine`` from now on; raise ``WrongAnswer``."""
    _defects[engine] = why
    msg = f"the engine {engine} is refused: {why}"
    raise WrongAnswer(msg)


def require_engine(engine: str) -> None:
    """Return if ``engine`` gave its known answers; raise ``EngineUnavailable`` otherwise."""
    if engine not in _defects:
        _defects[engine], _ = _outcome_of(KNOWN_ANSWER_TESTS[engine])
    defect = _defects[engine]
    if defect is not None:
        msg = f"the engine {engine} is refused: {defect}"
        raise EngineUnavailable(msg)


def _outcome_of(test: Callable[[], None]) -> tuple[str | None, bool]:
    """Return what is wrong, None if nothing is, and whether the engine is merely absent."""
    try:
        test()
    except EngineUnavailable as error:
        return error.detail, not isinstance(error, WrongAnswer)
    except SecopsError as error:
        return error.detail, False
    except Exception as error:  # noqa: BLE001 - whatever a broken engine raises refuses it
        return type(error).__name__, False
    return None, False
