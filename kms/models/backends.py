"""Key backends: where private operations happen, how they are set up and how they fare."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

BackendKind = Literal["software", "pkcs11", "sdf"]
SlotState = Literal["intent", "unknown", "held", "destroying", "retired"]

SOFTWARE: Final = "software"
"""The group of keys whose material lies in the database, wrapped under the root key."""
LABEL: Final = "govsecops:"
"""How labels of our objects in a token begin."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """One backend as it is configured. ``time_limit`` is in seconds.

    ``group``: members of one group hold the same objects and stand in for one another; alone
    it is the backend's own name. ``preference``: smaller is asked first. ``secret`` is the PIN
    or access password. ``indices`` are the SDF key pairs that may be given to keys;
    ``check_index`` is one more that only health checks use, ``kek_index`` the machine's own
    key-encrypting key. ``sessions`` bounds calls at a time.
    """

    name: str
    kind: BackendKind
    centre: str = "local"
    group: str = ""
    preference: int = 100
    library: Path | None = None
    token: str = ""
    secret: str | None = field(default=None, repr=False)
    indices: tuple[int, ...] = ()
    check_index: int = 0
    kek_index: int = 0
    time_limit: float = 5.0
    sessions: int = 4

    @property
    def family(self) -> str:
        """The group's name."""
        return self.group or self.name


@dataclass(frozen=True, slots=True)
class Placement:
    """Where new keys go: the first rule that fits decides. An empty list fits everything.

    ``groups`` are asked in their order; ``centre`` keeps to groups with a member there.
    """

    groups: tuple[str, ...]
    types: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()
    centre: str = ""


@dataclass(frozen=True, slots=True)
class KeyWish:
    """The key that looks for a place."""

    type: str
    algorithm: str
    mount: str
    org_id: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a group has to offer a new key now."""

    algorithms: frozenset[str]
    centres: frozenset[str] = frozenset()
    draining: bool = False


@dataclass(frozen=True, slots=True)
class NewObject:
    """What a backend shall make.

    ``context`` binds wrapped material to its row; ``label`` names an object in a token;
    ``slot`` is the index of a ready key pair.
    """

    algorithm: str
    label: str
    context: bytes = b""
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class MadeObject:
    """What it made: SPKI in DER (empty for a symmetric key) and what leads back to it."""

    public_key: bytes
    reference: bytes


@dataclass(frozen=True, slots=True)
class HeldObject:
    """An object to work with."""

    algorithm: str
    reference: bytes
    public_key: bytes = b""
    context: bytes = b""


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """The trace of an object in a backend, from before it is made until it is gone.

    ``fingerprint`` is the SHA-256 of the SPKI, "" before it is known.
    """

    id: str
    org_id: str
    backend: str
    key_id: str
    version: int
    state: SlotState
    started_at: int
    slot: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class BackendRecord:
    """What all processes know of a backend: drained by whom, how its last check went."""

    name: str
    draining: bool = False
    changed_by: str = ""
    changed_at: int = 0
    checked_at: int | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """A backend as it is shown. ``failure`` is an error's code, "" where all is well.

    ``calls`` and ``failures`` count this process's since its start; ``rate`` is calls per
    second over its last minute. ``keys`` counts versions by algorithm in the whole pool.
    """

    name: str
    kind: BackendKind
    centre: str
    group: str
    healthy: bool
    draining: bool
    failure: str
    checked_at: int | None
    algorithms: tuple[str, ...]
    keys: dict[str, int]
    calls: int = 0
    failures: int = 0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyCustody:
    """Where a key is and how it stands, for the pool's page.

    ``rotated_at`` is when its latest version was made; ``rotation_due_at`` None where it does
    not rotate by itself. ``users`` have a grant. ``places`` are the groups its versions are in.
    """

    id: str
    name: str
    mount: str
    type: str
    state: str
    backend: str
    latest_version: int
    rotated_at: int
    rotation_due_at: int | None
    users: int
    places: frozenset[str]


NATIONAL_TYPES: Final = frozenset({"sm2", "sm4-gcm96"})
"""Key types whose algorithm is a national one: what the crypto assessment calls A."""


@dataclass(frozen=True, slots=True)
class BackendSetup:
    """All configured backends and where new keys go; without rules everything is software."""

    backends: tuple[BackendOptions, ...] = ()
    placements: tuple[Placement, ...] = ()
