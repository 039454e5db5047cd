"""Keys of the pool: what they are, who may use them, and the plane's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from kms.models.backends import SOFTWARE, BackendSetup
from kms.models.remote_seals import ProvinceOptions
from kms.models.stamps import PadesLevel
from kms.models.time_stamps import TimeStampSources

KeyState = Literal["active", "suspended", "pending_destruction", "destroyed"]
Operation = Literal["sign", "verify", "encrypt", "decrypt", "hmac", "export"]
CryptoProfile = Literal["intl", "gm"]
SealTimeStamps = Literal["none", "signatures", "all"]
PoolState = Literal["uninitialised", "locked", "unlocked"]

OPERATIONS: Final[frozenset[Operation]] = frozenset(
    {"sign", "verify", "encrypt", "decrypt", "hmac", "export"}
)
DEFAULT_OPERATIONS: Final[frozenset[Operation]] = OPERATIONS - {"export"}
DEFAULT_MOUNT: Final = "transit"
SYSTEM_MOUNT: Final = "system"
"""Where the product's own keys lie; no route and no command leads there."""
POOL_ID: Final = "pool"
"""The identifier under which the whole pool is revoked (locked)."""


@dataclass(frozen=True, slots=True)
class KeyType:
    """What a type of key can do. ``algorithm`` names the engine's key (crypto.signatures)."""

    name: str
    algorithm: str
    signs: bool = False
    encrypts: bool = False
    derives: bool = False
    vault_name: str = ""


KEY_TYPES: Final[dict[str, KeyType]] = {
    kind.name: kind
    for kind in (
        KeyType("sm2", "sm2", signs=True, encrypts=True, vault_name="sm2"),
        KeyType("ecdsa-p256", "ecdsa-p256", signs=True, vault_name="P-256"),
        KeyType("ecdsa-p384", "ecdsa-p384", signs=True, vault_name="P-384"),
        KeyType("ecdsa-p521", "ecdsa-p521", signs=True, vault_name="P-521"),
        KeyType("ed25519", "ed25519", signs=True, vault_name="ed25519"),
        KeyType("rsa-2048", "rsa-2048", signs=True, encrypts=True, vault_name="rsa-2048"),
        KeyType("rsa-3072", "rsa-3072", signs=True, encrypts=True, vault_name="rsa-3072"),
        KeyType("rsa-4096", "rsa-4096", signs=True, encrypts=True, vault_name="rsa-4096"),
        KeyType("ml-dsa-44", "ml-dsa-44", signs=True, vault_name="ml-dsa-44"),
        KeyType("ml-dsa-65", "ml-dsa-65", signs=True, vault_name="ml-dsa-65"),
        KeyType("ml-dsa-87", "ml-dsa-87", signs=True, vault_name="ml-dsa-87"),
        KeyType("aes256-gcm96", "aes256-gcm", encrypts=True, derives=True),
        KeyType("aes128-gcm96", "aes128-gcm", encrypts=True, derives=True),
        KeyType("sm4-gcm96", "sm4-gcm", encrypts=True, derives=True),
        KeyType("sm4-ccm96", "sm4-ccm", encrypts=True, derives=True),
        KeyType("chacha20-poly1305", "chacha20-poly1305", encrypts=True, derives=True),
        KeyType("hmac", "hmac"),
    )
}
"""The types offered: Vault's but xchacha20-poly1305, and ours."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the pool. Versions count from 1; times are UTC microseconds.

    ``mount`` is the mount's identifier: ``transit``, or that of one made later.
    ``auto_rotate_period`` is in seconds, 0 for never; ``next_rotation_at`` and ``destroy_at``
    are 0 where nothing is due. ``allow_rotation`` false is an imported key's.
    ``limits_version`` names the limits of its use, 0 where there are none.
    """

    id: str
    org_id: str
    mount: str
    name: str
    type: str
    created_at: int
    state: KeyState = "active"
    latest_version: int = 1
    min_decryption_version: int = 1
    min_encryption_version: int = 0
    min_available_version: int = 0
    deletion_allowed: bool = False
    exportable: bool = False
    derived: bool = False
    convergent_encryption: bool = False
    allow_plaintext_backup: bool = False
    imported: bool = False
    allow_rotation: bool = True
    auto_rotate_period: int = 0
    next_rotation_at: int = 0
    destroy_at: int = 0
    limits_version: int = 0
    backend: str = SOFTWARE

    @property
    def kind(self) -> KeyType:
        """What keys of this type can do."""
        return KEY_TYPES[self.type]


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys of one type that are in use, in one backend, counted.

    Of ``overdue`` ones the rotation should have been; ``unrotated`` have none planned and were
    made long ago.
    """

    type: str
    backend: str
    keys: int
    overdue: int
    unrotated: int


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key to be made. ``backend`` "" leaves its place to the placement rules."""

    name: str
    type: str
    mount: str = DEFAULT_MOUNT
    exportable: bool = False
    derived: bool = False
    convergent_encryption: bool = False
    allow_plaintext_backup: bool = False
    auto_rotate_period: int = 0
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """A name under which an organisation keeps keys. ``path`` is free again once retired."""

    id: str
    org_id: str
    path: str
    description: str
    created_at: int
    retired_at: int = 0


@dataclass(frozen=True, slots=True)
class Destruction:
    """A key asked to be destroyed. ``id`` is of the approval, bound to ``change`` (JSON)."""

    id: str
    org_id: str
    key_id: str
    key_name: str
    mount: str
    change: str
    delay_days: int
    requested_at: int


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version's material. ``wrapped`` is under the root key; ``public_key`` SPKI DER.

    For a symmetric key ``public_key`` is empty. Where ``backend`` is not software, the material
    is in that group of backends and ``wrapped`` is what leads to it.
    """

    key_id: str
    version: int
    created_at: int
    public_key: bytes
    wrapped: bytes
    backend: str = SOFTWARE


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """``subject`` (``account:ID`` or ``client:ID``) may do ``operations`` with a key."""

    key_id: str
    subject: str
    operations: frozenset[Operation]
    granted_at: int


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A key with all that belongs to it, authenticated under the root key."""

    key: Key
    versions: Mapping[int, KeyVersion]
    grants: Mapping[str, frozenset[Operation]]

    @property
    def is_outside(self) -> bool:
        """Whether the material of some version is not in this process but in a backend."""
        return any(version.backend != SOFTWARE for version in self.versions.values())


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Whether keys can be used, and by which custody they are kept."""

    state: PoolState
    custody: str
    profile: CryptoProfile


@dataclass(frozen=True, slots=True)
class KmsOptions:
    """How the pool is unlocked and which algorithms wrap its keys.

    ``unlock_file`` is a file of mode 0600 with the passphrase; ``unlock_passphrase`` is the
    same as text and never shown. Without both the pool waits for an unlock over HTTP, which
    reaches the service's other processes by ``handover_key`` (32 random bytes, new at each
    start of the service, given to each of its processes and kept nowhere).
    ``seal_time_stamps`` says what of version 5 seals gets a time-stamp, ``pades_level`` how
    PDFs are signed where nobody says.
    """

    profile: CryptoProfile = "intl"
    unlock_passphrase: str | None = field(default=None, repr=False)
    unlock_file: Path | None = None
    handover_key: bytes | None = field(default=None, repr=False)
    public_url: str = ""
    backends: BackendSetup = field(default_factory=BackendSetup)
    unlock_token: str = ""
    unlock_token_file: Path | None = None
    seal_time_stamps: SealTimeStamps = "signatures"
    time_stamp_sources: TimeStampSources = field(default_factory=TimeStampSources)
    pades_level: PadesLevel = "b-t"
    province: ProvinceOptions = field(default_factory=ProvinceOptions)
