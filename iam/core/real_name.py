"""Real-name levels: schemes as data, and the claim about a person's level."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from iam.errors import RealNameSchemesInvalid
from iam.models.real_name import (
    CERTIFICATE,
    DEMANDS,
    LEVEL_TEXTS,
    MAX_SCHEMES_TEXT,
    MEANINGS,
    RealNameScheme,
    RealNameSchemes,
)
from iam.models.upstream import RealNameLevel
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND

_ID: Final = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,12})+", re.ASCII)
_HIGHEST: Final = 9
_UNMET: Final = CERTIFICATE + 1
_NOTHING: Final = Text("未核验", "not verified")
_FIELDS: Final = frozenset({"id", "title", "source", "levels"})


def read_schemes(*texts: str) -> RealNameSchemes:
    """Return the schemes of TOML texts, all together.

    Raises ``RealNameSchemesInvalid`` naming the place. A known scheme can't be told anew: what
    a number stands for must not change by a second file.
    """
    known: dict[str, RealNameScheme] = {}
    for text in texts:
        _read(text, known)
    return RealNameSchemes(known)


def _read(text: str, known: dict[str, RealNameScheme]) -> None:
    if len(text) > MAX_SCHEMES_TEXT:
        raise _invalid("the file is too long")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(str(error)) from error
    given = document.get("scheme", [])
    if set(document) - {"scheme"} or not isinstance(given, list):
        raise _invalid("the file holds nothing but [[scheme]]")
    for number, entry in enumerate(given, 1):
        scheme = _scheme(f"scheme {number}", entry)
        if scheme.id in known:
            raise _invalid(f"scheme {number}: {scheme.id} is told already")
        known[scheme.id] = scheme


def _scheme(place: str, entry: Any) -> RealNameScheme:
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        raise _invalid(f"{place} has exactly {', '.join(sorted(_FIELDS))}")
    identifier, source = entry["id"], entry["source"]
    if not isinstance(identifier, str) or _ID.fullmatch(identifier) is None:
        raise _invalid(f"{place}: id is like cn-gd")
    if not isinstance(source, str) or not source:
        raise _invalid(f"{place}: source says where its levels were read")
    return RealNameScheme(
        identifier, _title(place, entry["title"]), source, _rungs(place, entry["levels"])
    )


def _title(place: str, given: Any) -> Text:
    texts = given if isinstance(given, dict) else {}
    if set(texts) != {"zh", "en"} or not all(isinstance(t, str) and t for t in texts.values()):
        raise _invalid(f"{place}: title has zh and en")
    return Text(texts["zh"], texts["en"])


def _rungs(place: str, given: Any) -> Mapping[int, int]:
    """Return the ladder of a scheme: numbers and meanings both go up."""
    if not isinstance(given, list) or not given:
        raise _invalid(f"{place}: levels are {{ number, meaning }}")
    rungs: dict[int, int] = {}
    for entry in given:
        number, meaning = _level(place, entry)
        if rungs and (number <= max(rungs) or meaning < max(rungs.values())):
            raise _invalid(f"{place}: level {number} stands for less than one below it")
        rungs[number] = meaning
    return rungs


def _level(place: str, entry: Any) -> tuple[int, int]:
    if not isinstance(entry, dict) or set(entry) != {"number", "meaning"}:
        raise _invalid(f"{place}: a level is {{ number, meaning }}")
    number, meaning = entry["number"], entry["meaning"]
    if type(number) is not int or not 1 <= number <= _HIGHEST:
        raise _invalid(f"{place}: a level's number is 1 to {_HIGHEST}")
    if not isinstance(meaning, str) or meaning not in MEANINGS:
        raise _invalid(f"{place}: level {number} means one of {', '.join(MEANINGS)}")
    return number, MEANINGS[meaning]


def _invalid(detail: str) -> RealNameSchemesInvalid:
    return RealNameSchemesInvalid(detail)


def real_name_claim(levels: Sequence[RealNameLevel], now: int) -> dict[str, Any] | None:
    """Return the claim ``real_name_level`` for tokens: the latest level that holds, or None.

    ``at`` and ``exp`` are UTC seconds, as all times in tokens.
    """
    living = [level for level in levels if level.expires_at > now]
    if not living:
        return None
    latest = max(living, key=lambda level: (level.at, level.scheme))
    return {
        "scheme": latest.scheme,
        "level": latest.level,
        "source": latest.source,
        "at": latest.at // SECOND,
        "exp": latest.expires_at // SECOND,
    }


def demanded_rung(demand: str) -> int:
    """Return the least level that meets ``demand``, 0 for none.

    A word we don't know is met by nobody: a later version may have written it.
    """
    return DEMANDS.get(demand, _UNMET)


def level_text(level: int) -> Text:
    """Return what a level of our ladder stands for."""
    return LEVEL_TEXTS.get(level, _NOTHING)
