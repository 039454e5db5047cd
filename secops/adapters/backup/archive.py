"""The form of a backup: a compressed tar of regular files, and last a manifest of them all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import orjson

from secops.adapters.disk import digest_of, sync_folder
from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError

FORMAT: Final = "govsecops-backup-1"
MANIFEST: Final = "MANIFEST.json"
MAX_MANIFEST: Final = 64 << 20
MAX_FILES: Final = 1_000_000
_CHUNK: Final = 1 << 20
_COMPRESSION: Final = 1


class BackupRejected(SecopsError):
    """The file is no backup of ours, or not what was written."""

    code = "backup.rejected"
    status = 400
    exit_code = 1
    title = Text("备份文件无效", "The backup can't be used")
    remedy = Text("请换用另一份备份,并检查存储介质。", "Use another backup, and check the medium.")


def pack(folder: Path, target: Path, facts: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Write everything in ``folder`` to the new file ``target``; return the manifest.

    The file appears under its name only when it is whole and durable. Raises OSError.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    files: dict[str, Any] = {}
    descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=_COMPRESSION) as archive:
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        name = path.relative_to(folder).as_posix()
                        archive.add(path, name, recursive=False, filter=_anonymous)
                        files[name] = [path.stat().st_size, digest_of(path).hex()]
                manifest = {"format": FORMAT, "at": at, "facts": dict(facts), "files": files}
                _add_manifest(archive, manifest)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return manifest


def unpack(source: Path, folder: Path, room: int) -> dict[str, Any]:
    """Bring the files of the backup ``source`` into the empty ``folder``; return its manifest.

    ``room`` bytes are the most that may be written. Raises ``BackupRejected`` for whatever is
    not exactly what was packed: nothing is trusted but regular files with relative names.
    """
    manifest: dict[str, Any] | None = None
    found: dict[str, Any] = {}
    try:
        with gzip.open(source) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if manifest is not None or len(found) > MAX_FILES:
                    raise BackupRejected("something stands behind the manifest")
                if member.name == MANIFEST:
                    manifest = _read_manifest(archive, member)
                    continue
                room -= max(member.size, 0)
                if room < 0:
                    raise BackupRejected("there is not enough room for it")
                target = folder / _safe_name(member, found)
                found[member.name] = [member.size, _extract(archive, member, target)]
            while stream.read(_CHUNK):
                pass  # the last bytes hold the checksum of all
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        msg = f"{source.name} can't be read: {type(error).__name__}"
        raise BackupRejected(msg) from error
    if manifest is None or manifest.get("files") != found:
        raise BackupRejected("the files are not those of its manifest")
    return manifest


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _add_manifest(archive: tarfile.TarFile, manifest: Mapping[str, Any]) -> None:
    content = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    member = tarfile.TarInfo(MANIFEST)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _read_manifest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    stream = archive.extractfile(member)
    if stream is None or member.size > MAX_MANIFEST:
        raise BackupRejected("the manifest is no file, or too large")
    manifest = orjson.loads(stream.read(MAX_MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupRejected("it is no backup of this product")
    return manifest


def _safe_name(member: tarfile.TarInfo, found: Mapping[str, Any]) -> PurePosixPath:
    name = PurePosixPath(member.name)
    plain = member.isreg() and not member.issparse() and member.name == name.as_posix()
    if not plain or name.is_absolute() or ".." in name.parts or member.name in found:
        raise BackupRejected(f"{member.name!r} is no file that we would have packed")
    return name


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    stream = archive.extractfile(member)
    if stream is None:
        raise BackupRejected(f"{member.name!r} is no file")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(target, flags, 0o600 | member.mode & 0o100)
    with os.fdopen(descriptor, "wb") as output:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            output.write(chunk)
        output.flush()
        os.fsync(output.fileno())
    return digest.hexdigest()
