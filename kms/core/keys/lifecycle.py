"""What may be done with a key in its state, and how its state changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kms.errors.keys import (
    DeletionNotAllowed,
    KeyDestroyed,
    KeyNotGranted,
    KeyPendingDestruction,
    KeySuspended,
    OperationUnsupported,
    VersionUnavailable,
)
from kms.models.keys import KEY_TYPES, Key, KeyRequest, KeyType, LoadedKey, Operation
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHORTEST_ROTATION: Final = 3_600
"""Seconds. As in Vault."""


def check_name(name: str) -> None:
    """Return if ``name`` can name a key or mount; raise ``Invalid`` otherwise."""
    if not _NAME.fullmatch(name):
        msg = "a name has 1 to 64 letters, digits, dots, dashes or underscores"
        raise Invalid(msg)


def key_type(name: str) -> KeyType:
    """Return the type called ``name``; raise ``Invalid`` if it is not offered."""
    found = KEY_TYPES.get(name)
    if found is None:
        msg = f"the key type {name[:32]!r} is not offered; use one of {', '.join(KEY_TYPES)}"
        raise Invalid(msg)
    return found


def demand_operation(loaded: LoadedKey, operation: Operation, subject: str) -> None:
    """Return if ``subject`` may do ``operation`` with the key now; raise why not."""
    key = loaded.key
    demand_active(key)
    if operation not in loaded.grants.get(subject, frozenset()):
        msg = f"the key {key.name} is not granted to you for {operation}"
        raise KeyNotGranted(msg)
    demand_support(key, operation)


def demand_active(key: Key) -> None:
    """Return if ``key`` is active; raise what its state is instead."""
    if key.state == "suspended":
        msg = f"the key {key.name} is suspended"
        raise KeySuspended(msg)
    demand_kept(key)


def demand_kept(key: Key) -> None:
    """Return if ``key`` is neither destroyed nor waits for that; raise otherwise."""
    if key.state == "pending_destruction":
        msg = f"the key {key.name} waits to be destroyed"
        raise KeyPendingDestruction(msg)
    if key.state == "destroyed":
        msg = f"the key {key.name} was destroyed"
        raise KeyDestroyed(msg)


def demand_support(key: Key, operation: Operation) -> None:
    """Return if the type of ``key`` can do ``operation``."""
    kind = key.kind
    supported = {
        "sign": kind.signs,
        "encrypt": kind.encrypts,
        "decrypt": kind.encrypts,
    }.get(operation, True)
    if not supported:
        msg = f"a key of type {key.type} can't {operation}"
        raise OperationUnsupported(msg)


def producing_version(key: Key, wanted: int) -> int:
    """Return the version that signs or encrypts; ``wanted`` 0 is the latest."""
    version = wanted or key.latest_version
    if version > key.latest_version or version < 1:
        msg = f"the key {key.name} has no version {version}"
        raise VersionUnavailable(msg)
    if wanted and wanted < max(key.min_encryption_version, key.min_decryption_version):
        msg = f"version {wanted} of {key.name} may no longer be used: it is too old"
        raise VersionUnavailable(msg)
    return version


def consuming_version(key: Key, version: int) -> int:
    """Return ``version`` if what it made may be verified or decrypted."""
    if version > key.latest_version or version < 1:
        msg = f"the version {version} is too new or no version of {key.name}"
        raise VersionUnavailable(msg)
    if version < key.min_decryption_version:
        msg = f"version {version} of {key.name} is too old: the minimum was raised"
        raise VersionUnavailable(msg)
    return version


def check_request(request: KeyRequest) -> None:
    """Return if a key can be made so; raise ``Invalid`` otherwise."""
    check_name(request.name)
    kind = key_type(request.type)
    if request.derived and not kind.derives:
        msg = f"keys of type {kind.name} can't be derived"
        raise Invalid(msg)
    if request.convergent_encryption and not request.derived:
        msg = "convergent encryption requires derivation to be enabled, so that context is bound"
        raise Invalid(msg)
    check_rotation_period(request.auto_rotate_period)


def check_rotation_period(seconds: int) -> None:
    """Return if a key may be rotated every ``seconds`` (0: never); raise ``Invalid``."""
    if 0 < seconds < SHORTEST_ROTATION:
        msg = "auto_rotate_period is 0, or an hour or more"
        raise Invalid(msg)


def next_rotation(key: Key, now: int) -> int:
    """Return when ``key`` is due to be rotated if it got its latest version ``now``; 0 never."""
    return now + key.auto_rotate_period * SECOND if key.auto_rotate_period else 0


def rotation_is_due(key: Key, now: int) -> bool:
    """Tell whether ``key`` is in use and its period is over."""
    return key.state == "active" and key.allow_rotation and 0 < key.next_rotation_at <= now


def rotated(key: Key, now: int) -> Key:
    """Return ``key`` with one version more."""
    demand_active(key)
    if not key.allow_rotation:
        msg = f"the key {key.name} was imported with rotation disallowed"
        raise Invalid(msg)
    return with_version(key, now)


def with_version(key: Key, now: int) -> Key:
    """Return ``key`` with one version more, made here or brought."""
    demand_active(key)
    latest = key.latest_version + 1
    return replace(key, latest_version=latest, next_rotation_at=next_rotation(key, now))


def configured(key: Key, changes: Mapping[str, object], now: int) -> Key:
    """Return ``key`` with ``changes``; raise ``Invalid`` for values that don't fit.

    ``min_decryption_version`` (>= 1), ``min_encryption_version`` (0 = latest),
    ``deletion_allowed`` and ``auto_rotate_period`` (seconds) can be changed; ``exportable`` and
    ``allow_plaintext_backup`` can only become true (as in Vault).
    """
    demand_kept(key)
    period = changes.get("auto_rotate_period", key.auto_rotate_period)
    if type(period) is not int:
        msg = "auto_rotate_period is a number of seconds"
        raise Invalid(msg)
    check_rotation_period(period)
    if period != key.auto_rotate_period:
        key = replace(key, auto_rotate_period=period)
        key = replace(key, next_rotation_at=next_rotation(key, now))
    after = replace(
        key,
        min_decryption_version=_version(key, "min_decryption_version", changes),
        min_encryption_version=_version(key, "min_encryption_version", changes),
        deletion_allowed=_flag("deletion_allowed", changes, before=key.deletion_allowed),
        exportable=key.exportable or _flag("exportable", changes, before=False),
        allow_plaintext_backup=key.allow_plaintext_backup
        or _flag("allow_plaintext_backup", changes, before=False),
    )
    if after.min_encryption_version and after.min_encryption_version < after.min_decryption_version:
        msg = "min_encryption_version lies below min_decryption_version"
        raise Invalid(msg)
    return after


def trimmed(key: Key, minimum: int) -> Key:
    """Return ``key`` whose versions below ``minimum`` are gone; both minimums allow it."""
    lowest = min(key.min_decryption_version, key.min_encryption_version)
    if not key.min_encryption_version or not 1 <= minimum <= lowest:
        msg = "min_available_version must not lie above min_encryption_version (set it first)"
        raise Invalid(msg)
    if minimum < key.min_available_version:
        msg = "min_available_version can't be lowered"
        raise Invalid(msg)
    return replace(key, min_available_version=minimum)


def destruction_requested(key: Key) -> Key:
    """Return ``key`` out of use; raise ``DeletionNotAllowed`` unless that was allowed."""
    demand_kept(key)
    if not key.deletion_allowed:
        raise DeletionNotAllowed
    return replace(key, state="pending_destruction", destroy_at=0)


def destruction_called_off(key: Key) -> Key:
    """Return ``key`` suspended: whoever resumes it has looked at it again."""
    return replace(key, state="suspended", destroy_at=0)


def destroyed(key: Key) -> Key:
    """Return ``key`` without material."""
    return replace(key, state="destroyed", destroy_at=0, next_rotation_at=0)


def _version(key: Key, name: str, changes: Mapping[str, object]) -> int:
    before: int = getattr(key, name)
    value = changes.get(name, before)
    if type(value) is not int:
        msg = f"{name} is a number"
        raise Invalid(msg)
    if name == "min_decryption_version":
        value = max(value, 1)
    if not 0 <= value <= key.latest_version or 0 < value < key.min_available_version:
        msg = f"{name} must be a version of the key that is still there"
        raise Invalid(msg)
    return value


def _flag(name: str, changes: Mapping[str, object], *, before: bool) -> bool:
    value = changes.get(name, before)
    if not isinstance(value, bool):
        msg = f"{name} is true or false"
        raise Invalid(msg)
    return value
