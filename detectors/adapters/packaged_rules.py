"""The rules that come with the product, and those an instance adds in ``home/rules``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

from detectors.models.rules import RuleFile

_SUFFIXES = (".yml", ".yaml")
_SAMPLES = "samples"
_PACKAGED: Final = "rules/"
_WANTED: Final = ("negative", "positive")
_MAX_SAMPLE: Final = 1 << 20


class InstalledRules:
    """Reads ``rules/sigma`` of the distribution, then ``home/rules``."""

    def __init__(self, home: Path) -> None:
        self._own = home / "rules"

    def rule_files(self) -> Sequence[RuleFile]:
        """Return every rule file, by path."""
        packaged = sorted(_below(resources.files("rules") / "sigma", "rules/sigma"))
        files = [RuleFile(name, entry.read_bytes()) for name, entry in packaged]
        if self._own.is_dir():
            paths = sorted(p for p in self._own.rglob("*") if p.suffix in _SUFFIXES)
            files.extend(RuleFile(str(path), path.read_bytes()) for path in paths)
        return files

    def samples_of(self, rule_path: str) -> Sequence[tuple[str, str, bytes]]:
        """Return (path, kind, lines) of the samples beside a rule; none for a foreign rule."""
        place = PurePosixPath(rule_path)
        beside = place.parent / _SAMPLES / place.stem
        folder: Traversable
        if rule_path.startswith(_PACKAGED):
            folder = resources.files("rules").joinpath(*beside.parts[1:])
        elif Path(rule_path).is_relative_to(self._own):
            folder = Path(beside)
        else:
            return ()
        if not folder.is_dir():
            return ()
        found = sorted(
            (entry.name, entry)
            for entry in folder.iterdir()
            if PurePosixPath(entry.name).stem in _WANTED and entry.is_file()
        )
        return [
            (f"{beside}/{name}", PurePosixPath(name).stem, _bounded(entry)) for name, entry in found
        ]


def _bounded(entry: Traversable) -> bytes:
    with entry.open("rb") as lines:
        return lines.read(_MAX_SAMPLE)


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != _SAMPLES:
                yield from _below(entry, name)
        elif entry.name.endswith(_SUFFIXES):
            yield name, entry
