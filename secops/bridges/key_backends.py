"""From settings to the key pool: how it is unlocked, and the backends its keys live in.

``PKCS11_*`` and ``SDF_*`` set up one device each; ``KEY_BACKENDS`` names a TOML file with any
number of them, with groups, centres and placement rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from kms.adapters.backends.opening import open_device
from kms.adapters.custody.passphrases import read_unlock_file
from kms.errors.backends import BackendMisconfigured
from kms.models import KmsOptions
from kms.models.backends import SOFTWARE, BackendOptions, BackendSetup, Placement
from kms.models.remote_seals import ProvinceOptions
from kms.models.time_stamps import TimeStampSources
from secops.kernel.errors import SecopsError
from secops.kernel.ids import Randomness
from secops.settings import Settings, SettingsRejected, listed

UNLOCK_TOKEN_FILE: Final = "unlock.token"  # noqa: S105 - the name of a file
_MAX_FILE: Final = 1 << 20
_MAX_INDEX: Final = 65_535
_MAX_SECONDS: Final = 60.0
_NUMBERS: Final = frozenset({"preference", "check_index", "kek_index", "sessions"})
_KINDS: Final = frozenset({"software", "pkcs11", "sdf"})


def kms_options(settings: Settings) -> KmsOptions:
    """Return the plane's options; raise ``BackendMisconfigured``."""
    file = settings.unlock_file
    return KmsOptions(
        province=_province(settings),
        profile=settings.crypto_profile,
        seal_time_stamps=settings.seal_time_stamps,
        time_stamp_sources=_time_stamp_sources(settings),
        pades_level=settings.pades_level,
        unlock_passphrase=settings.unlock_passphrase or None,
        unlock_file=settings.home / file if file else None,
        handover_key=bytes.fromhex(settings.handover_key) if settings.handover_key else None,
        backends=backend_setup(settings),
        unlock_token=settings.unlock_token,
        unlock_token_file=settings.home / UNLOCK_TOKEN_FILE,
        public_url=settings.origin,
    )


def _province(settings: Settings) -> ProvinceOptions:
    url = settings.province_seal_url
    if url and not url.startswith("https://"):
        raise SettingsRejected("province_seal_url is an https address: a token goes there")
    return ProvinceOptions(url, settings.province_seal_token)


def _time_stamp_sources(settings: Settings) -> TimeStampSources:
    sources = TimeStampSources(settings.time_stamp_url, settings.time_stamp_sm3_url)
    if not all(
        url.startswith(("https://", "http://")) for url in (sources.sha2, sources.sm3) if url
    ):
        raise SettingsRejected("time_stamp_url and time_stamp_sm3_url are http(s) addresses")
    return sources


def backend_setup(settings: Settings) -> BackendSetup:
    """Return the configured backends; raise ``BackendMisconfigured`` naming what is wrong."""
    backends, placements = list(_from_settings(settings)), []
    if settings.key_backends:
        file = settings.home / settings.key_backends
        read = _read(file)
        backends += [_backend(row, file.parent) for row in _rows(read, "backend")]
        placements = [_placement(row) for row in _rows(read, "placement")]
    names = [each.name for each in backends]
    if len(set(names)) != len(names) or SOFTWARE in names:
        raise BackendMisconfigured("each backend has a name of its own, and none is 'software'")
    _demand_one_kind(backends)
    return BackendSetup(tuple(backends), tuple(placements))


def examine_backends(settings: Settings, randomness: Randomness) -> Iterator[tuple[str, str, bool]]:
    """Yield each device's name, what is wrong with it, and whether no signature was tried."""
    for options in backend_setup(settings).backends:
        if options.kind == "software":
            continue
        device = open_device(options, randomness)
        failure = ""
        try:
            device.check()
        except SecopsError as error:
            failure = f"{error.code}: {error.detail}"
        finally:
            device.close()
        yield options.name, failure, options.kind == "sdf" and not options.check_index


def _from_settings(settings: Settings) -> tuple[BackendOptions, ...]:
    found = []
    if settings.pkcs11_library:
        found.append(
            BackendOptions(
                "pkcs11",
                "pkcs11",
                library=Path(settings.pkcs11_library),
                token=settings.pkcs11_token,
                secret=settings.pkcs11_pin or None,
            )
        )
    if settings.sdf_library:
        found.append(
            BackendOptions(
                "sdf",
                "sdf",
                library=Path(settings.sdf_library),
                secret=settings.sdf_password or None,
                indices=_indices(settings.sdf_indices),
                check_index=settings.sdf_check_index,
                kek_index=settings.sdf_kek_index,
            )
        )
    return tuple(found)


def _demand_one_kind(backends: list[BackendOptions]) -> None:
    """Members of a group stand in for one another: they are of one kind, with one set of keys."""
    families: dict[str, BackendOptions] = {}
    for each in backends:
        first = families.setdefault(each.family, each)
        if (first.kind, first.indices) != (each.kind, each.indices):
            raise BackendMisconfigured(f"the group {each.family} mixes kinds or indices")


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.loads(stream.read(_MAX_FILE).decode())
    except (OSError, ValueError) as error:
        raise BackendMisconfigured(f"{file}: {type(error).__name__}") from error


def _rows(read: dict[str, Any], name: str) -> list[dict[str, Any]]:
    unknown = read.keys() - {"backend", "placement"}
    rows = read.get(name, [])
    if unknown or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BackendMisconfigured("the file holds [[backend]] and [[placement]] tables")
    return rows


def _backend(row: dict[str, Any], folder: Path) -> BackendOptions:
    known = {field.name for field in fields(BackendOptions)} - {"secret"} | {"secret_file"}
    if unknown := row.keys() - known:
        raise BackendMisconfigured(f"a backend has no {min(unknown)!r}")
    values = {word: value for word, value in row.items() if word not in ("secret_file", "indices")}
    for word, value in values.items():
        _demand_typed(word, value)
    if not row.get("name") or row.get("kind") not in _KINDS:
        raise BackendMisconfigured("a backend has a name, and is software, pkcs11 or sdf")
    if "library" in values:
        values["library"] = folder / values["library"]
    if "secret_file" in row:
        values["secret"] = read_unlock_file(folder / str(row["secret_file"])).decode()
    if "indices" in row:
        values["indices"] = _indices(str(row["indices"]))
    return BackendOptions(**values)


def _demand_typed(word: str, value: object) -> None:
    if word == "time_limit":
        sound = isinstance(value, int | float) and 0 < value <= _MAX_SECONDS
    elif word in _NUMBERS:
        sound = isinstance(value, int) and 0 <= value <= _MAX_INDEX
    else:
        sound = isinstance(value, str)
    if not sound or (word == "sessions" and not value):
        raise BackendMisconfigured(f"{word} of a backend can't be {str(value)[:32]!r}")


def _placement(row: dict[str, Any]) -> Placement:
    words = ("types", "mounts", "orgs", "groups")
    lists = {word: row.get(word, []) for word in words}
    centre = row.get("centre", "")
    sound = all(
        isinstance(each, list) and all(isinstance(text, str) for text in each)
        for each in lists.values()
    )
    if not sound or not lists["groups"] or row.keys() - {*words, "centre"}:
        raise BackendMisconfigured("a placement has groups, and lists of types, mounts, orgs")
    return Placement(
        groups=tuple(lists["groups"]),
        types=frozenset(lists["types"]),
        mounts=frozenset(lists["mounts"]),
        orgs=frozenset(lists["orgs"]),
        centre=str(centre),
    )


def _indices(text: str) -> tuple[int, ...]:
    """Return the numbers of ``1-8,12``."""
    found: list[int] = []
    for part in listed(text):
        first, _, last = part.partition("-")
        if not (first.isascii() and first.isdigit() and (not last or last.isdigit())):
            raise BackendMisconfigured("indices are like 1-8,12")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= _MAX_INDEX:
            raise BackendMisconfigured(f"indices are from 1 to {_MAX_INDEX}")
        found.extend(range(low, high + 1))
    return tuple(dict.fromkeys(found))
