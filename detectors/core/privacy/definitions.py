"""Reading classes of data from TOML. What is wrong is named with its file and class."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import re2

from detectors.models.privacy import GRADES, Check, DataClass, DataClassFile, Neighbours
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid

MAX_CLASSES: Final = 200
MAX_PATTERN: Final = 1_000
MAX_WORDS: Final = 100
_NAMES: Final = frozenset(
    {"id", "zh", "en", "grade", "pattern", "words", "after", "check", "neighbours", "keep"}
    | {"subject", "masked", "source", "positive", "negative"}
)


def byte_options() -> Any:
    """Return RE2's options for bytes: a byte is a character, nothing is written to stderr."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 16 << 20
    return options


def read_data_classes(files: Iterable[DataClassFile]) -> tuple[DataClass, ...]:
    """Return the classes in ``files``, in that order; a later class of the same id replaces.

    Raises ``Invalid`` with file and class.
    """
    found: dict[str, DataClass] = {}
    for file in files:
        for number, row in enumerate(_rows(file), 1):
            where = f"{file.path}, class {number}"
            made = _data_class(row, where)
            found[made.id] = made
    if len(found) > MAX_CLASSES:
        raise Invalid(f"more than {MAX_CLASSES} classes of data")
    return tuple(found.values())


def _rows(file: DataClassFile) -> Sequence[Mapping[str, Any]]:
    try:
        rows = tomllib.loads(file.content.decode())["class"]
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise Invalid(f"{file.path} holds no [[class]]: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Invalid(f"{file.path}: class is not a list of tables")
    return rows


def _data_class(row: Mapping[str, Any], where: str) -> DataClass:
    if unknown := row.keys() - _NAMES:
        raise Invalid(f"{where}: {', '.join(sorted(unknown))} means nothing here")
    keep = row.get("keep", [0, 0])
    if not isinstance(keep, list) or [type(number) for number in keep] != [int, int]:
        raise Invalid(f"{where}: keep is two whole numbers")
    return DataClass(
        id=_text(row, "id", where),
        title=Text(_text(row, "zh", where), _text(row, "en", where)),
        grade=_one_of(row, "grade", GRADES, where),
        patterns=_patterns(row, where),
        check=_one_of(row, "check", get_args(Check), where),
        neighbours=_one_of(row, "neighbours", get_args(Neighbours), where),
        keep=(keep[0], keep[1]),
        subject=bool(row.get("subject", False)),
        masked=bool(row.get("masked", True)),
        source=str(row.get("source", "")),
        positive=tuple(map(str, row.get("positive", ()))),
        negative=tuple(map(str, row.get("negative", ()))),
    )


def _patterns(row: Mapping[str, Any], where: str) -> tuple[bytes, ...]:
    """Return byte patterns: one, or words in both encodings that Chinese logs use."""
    if ("pattern" in row) == ("words" in row):
        raise Invalid(f"{where}: either pattern or words")
    written = str(row.get("pattern", row.get("after", "")))
    if len(written) > MAX_PATTERN:
        raise Invalid(f"{where}: a pattern has at most {MAX_PATTERN} characters")
    words = row.get("words", [])
    if not isinstance(words, list) or len(words) > MAX_WORDS:
        raise Invalid(f"{where}: words is a list of at most {MAX_WORDS}")
    patterns = []
    for encoding in ("utf-8", "gb18030") if words else ("utf-8",):
        tail = written.encode(encoding)
        heads = b"|".join(re2.escape(str(word).encode(encoding)) for word in words)
        patterns.append(b"(?:" + heads + b")" + tail if words else tail)
    for pattern in patterns:
        _check_pattern(pattern, where)
    return tuple(patterns)


def _check_pattern(pattern: bytes, where: str) -> None:
    try:
        compiled = re2.compile(pattern, byte_options())
    except re2.error as error:
        raise Invalid(f"{where}: {error}") from error
    if compiled.groups > 1:
        raise Invalid(f"{where}: at most one group, which is the value")
    if compiled.search(b"") is not None:
        raise Invalid(f"{where}: the pattern matches nothing at all")


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{where}: {name} is missing")
    return value


def _one_of(row: Mapping[str, Any], name: str, offered: Sequence[Any], where: str) -> Any:
    value = row.get(name, offered[0])
    if value not in offered:
        raise Invalid(f"{where}: {name} is one of {', '.join(filter(None, offered))}")
    return value
