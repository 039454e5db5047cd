"""Rule folders of others on disk: ``home/rule-folders/NAME-DIGEST/``.

A folder's manifest lists the SHA-256 of each file; the database holds the manifest's. So
neither a file nor a list of files can be changed unseen, and a new import stands beside the
old one until the database names it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import orjson

from detectors.adapters.rule_archives import collect_archive
from detectors.adapters.rule_places import MAX_DEPTH, MAX_FILE, is_notice, is_rule
from detectors.errors import RuleFolderRefused
from detectors.models.rule_folders import PREFIX, Collected
from detectors.models.rules import RuleFile

MAX_FILES: Final = 20_000
MAX_TOTAL: Final = 256 << 20
_MANIFEST: Final = "manifest.json"
_SHORT: Final = 16
_ALTERED: Final = "altered since its import: not evaluated"


class LocalRuleFolders:
    """Reads foreign folders within limits and keeps copies that nobody can alter unseen."""

    def __init__(self, home: Path) -> None:
        self._root = home / "rule-folders"

    def collect(self, path: Path) -> Collected:
        """Read a folder; symbolic links, odd files and whatever passes a limit refuse it."""
        files: list[RuleFile] = []
        notices: dict[str, bytes] = {}
        total = 0
        for place in _places(path):
            if not (is_rule(place) or is_notice(place)):
                continue
            content = _read(path / place)
            total += len(content)
            if total > MAX_TOTAL or len(files) + len(notices) >= MAX_FILES:
                msg = f"{place}: more than {MAX_FILES} files or {MAX_TOTAL} bytes"
                raise RuleFolderRefused(msg)
            if is_rule(place):
                files.append(RuleFile(place, content))
            else:
                notices[place] = content
        return Collected(tuple(files), notices)

    def unpack(self, content: bytes) -> Collected:
        """Read a zip of a folder in memory; what could lead elsewhere or is too much refuses it."""
        return collect_archive(content)

    def save(self, name: str, collected: Collected) -> str:
        """Write files and manifest beside what is there, then put them in place in one step."""
        contents = {file.path: file.content for file in collected.files} | dict(collected.notices)
        listed = {place: hashlib.sha256(content).hexdigest() for place, content in contents.items()}
        manifest = orjson.dumps({"name": name, "files": listed}, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(manifest).hexdigest()
        target = self._folder(name, digest)
        if target.exists():
            shutil.rmtree(target)  # the same content: what an interrupted import left
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".import-", dir=self._root))
        try:
            for place, content in contents.items():
                _write(work / "files" / place, content)
            _write(work / _MANIFEST, manifest)
            work.replace(target)
        except OSError:
            shutil.rmtree(work, ignore_errors=True)
            raise
        return digest

    def rule_files(self, name: str, digest: str) -> Sequence[RuleFile]:
        """Return the files whose content is as it was imported, the others with a problem."""
        listed = self._manifest(name, digest)
        if listed is None:
            return [RuleFile(f"{PREFIX}{name}/{_MANIFEST}", b"", _ALTERED)]
        return [
            self._rule_file(name, digest, place, wanted)
            for place, wanted in sorted(listed.items())
            if is_rule(place)
        ]

    def notices(self, name: str, digest: str) -> Mapping[str, str]:
        """Return the licence texts that came with a folder."""
        listed = self._manifest(name, digest) or {}
        texts = {}
        for place, wanted in sorted(listed.items()):
            if not is_rule(place):
                content = self._content(name, digest, place)
                if content is not None and hashlib.sha256(content).hexdigest() == wanted:
                    texts[place] = content.decode("utf-8", "replace")
        return texts

    def remove(self, name: str, digest: str) -> None:
        """Remove the files of one import."""
        shutil.rmtree(self._folder(name, digest), ignore_errors=True)

    def _folder(self, name: str, digest: str) -> Path:
        return self._root / f"{name}-{digest[:_SHORT]}"

    def _manifest(self, name: str, digest: str) -> Mapping[str, str] | None:
        try:
            content = (self._folder(name, digest) / _MANIFEST).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != digest:
            return None
        files: Mapping[str, str] = orjson.loads(content)["files"]
        return files

    def _rule_file(self, name: str, digest: str, place: str, wanted: str) -> RuleFile:
        content = self._content(name, digest, place)
        path = f"{PREFIX}{name}/{place}"
        if content is None or hashlib.sha256(content).hexdigest() != wanted:
            return RuleFile(path, b"", _ALTERED)
        return RuleFile(path, content)

    def _content(self, name: str, digest: str, place: str) -> bytes | None:
        # the manifest's digest is known to the database, so its places are ours
        try:
            return (self._folder(name, digest) / "files" / place).read_bytes()
        except OSError:
            return None


def _places(root: Path) -> Iterator[str]:
    """Yield the places of all plain files below ``root``, by name; hidden ones are left out."""
    if root.is_symlink() or not root.is_dir():
        msg = f"{root} is no folder"
        raise RuleFolderRefused(msg)
    yield from _below(root, PurePosixPath())


def _below(root: Path, place: PurePosixPath) -> Iterator[str]:
    if len(place.parts) > MAX_DEPTH:
        msg = f"{place}: deeper than {MAX_DEPTH} folders"
        raise RuleFolderRefused(msg)
    with os.scandir(root / place) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        inner = place / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            msg = f"{inner} is a symbolic link: it could lead anywhere"
            raise RuleFolderRefused(msg)
        if entry.is_dir(follow_symlinks=False):
            yield from _below(root, inner)
        else:
            yield str(inner)


def _read(path: Path) -> bytes:
    """Return a plain file's content; between listing and opening it may have become a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise RuleFolderRefused(msg) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            msg = f"{path} is no plain file"
            raise RuleFolderRefused(msg)
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        msg = f"{path} is larger than {MAX_FILE} bytes"
        raise RuleFolderRefused(msg)
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
