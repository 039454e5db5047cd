"""What seals need from outside: a painter of pictures, keys that sign, and a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kms.models.seal_policies import UsePolicy
from kms.models.seal_registry import (
    SealApplication,
    SealHolder,
    SealRecord,
    SealShape,
    SealState,
    SealUse,
)
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.kernel.actors import Actor
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A seal's picture to be drawn: ``name`` around it, ``marking`` inside, ``code`` below.

    ``width`` and ``height`` are millimetres; ``code`` is the seal's official number, or empty.
    """

    shape: SealShape
    name: str
    marking: str
    width: int
    height: int
    code: str = ""


class SealPainter(Protocol):
    """Draws seals."""

    def paint(self, request: PictureRequest) -> bytes:
        """Return a PNG with a transparent ground.

        Raises ``FontMissing`` or ``PictureRejected``; nothing is ever left blank.
        """
        ...

    def normalise(self, picture: bytes, request: PictureRequest) -> bytes:
        """Return a filed ``picture`` (PNG) as ``paint`` would give one: size, red, marking.

        Raises ``PictureRejected`` for no PNG, a huge one, an empty one or one that is all ink.
        """
        ...


class SealingKeys(Protocol):
    """Keys of the pool that only the product itself uses; they never leave it."""

    def ensure_key(self, name: str, algorithm: str = "sm2") -> bytes:
        """Return the SPKI of the key ``name``, made of ``algorithm`` (a type) if need be."""
        ...

    def sign(self, name: str, message: bytes, options: SignatureOptions = DEFAULT) -> bytes:
        """Return the signature of ``message``: DER for SM2 and ECDSA, by ``options`` for RSA.

        Raises ``PoolLocked`` while the pool is locked.
        """
        ...

    def destroy_key(self, transaction: Transaction, actor: Actor, name: str) -> bool:
        """Erase the key ``name`` for good; False if there is none (any more)."""
        ...

    def forget(self) -> None:
        """Let go of what this process holds of keys in memory."""
        ...

    def hand_over(self, name: str, receiver: bytes) -> bytes:
        """Return the SM2 key ``name`` as SM2EnvelopedKey for the SM2 key with SPKI ``receiver``.

        Raises ``PoolLocked``; ``InvalidKey`` for a receiver that is no SM2 key.
        """
        ...


class AnchorFile(Protocol):
    """The built-in CA's root certificates as a file, for verification without a database."""

    def write(self, *certificates: bytes) -> None:
        """Store the DER ``certificates`` as PEM, replacing what was there at once."""
        ...

    def read(self) -> bytes | None:
        """Return the PEM; None where no seal was ever made."""
        ...


class SealStore(Protocol):
    """Keeps applications, seals and their holders."""

    def insert_application(self, transaction: Transaction, application: SealApplication) -> None:
        """Store a new ``application``."""
        ...

    def application(
        self, transaction: Transaction, org_id: str, application_id: str
    ) -> SealApplication | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def applications(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealApplication]:
        """Return a page, newest first, one more than asked for."""
        ...

    def insert_seal(
        self,
        transaction: Transaction,
        record: SealRecord,
        content: bytes,
        *,
        holders: Sequence[SealHolder],
    ) -> bool:
        """Store a seal and mark its application made; False if it was made before."""
        ...

    def seal(
        self, transaction: Transaction, org_id: str, seal_id: str
    ) -> tuple[SealRecord, bytes] | None:
        """Return the seal of ``org_id`` and its SESeal."""
        ...

    def seals(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealRecord]:
        """Return a page, newest first, one more than asked for."""
        ...

    def holders(self, transaction: Transaction, seal_id: str) -> Sequence[SealHolder]:
        """Return who may use the seal."""
        ...

    def change_state(
        self,
        transaction: Transaction,
        seal_id: str,
        *,
        before: Sequence[SealState],
        after: SealState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        ...

    def stopped(
        self, transaction: Transaction, elsewhere: Mapping[str, int]
    ) -> Sequence[tuple[str, int]]:
        """Return (digest, since) of every seal that is suspended or revoked.

        ``elsewhere`` are identifiers that were stopped, which the store may not know.
        """
        ...


class SealLifeStore(Protocol):
    """Writes down how seals begin at the province and end here."""

    def set_remote_reference(
        self, transaction: Transaction, application_id: str, reference: str
    ) -> None:
        """Write down what the province calls the seal that was asked for."""
        ...

    def living_remote_seals(
        self, transaction: Transaction, after: str, limit: int
    ) -> Sequence[SealRecord]:
        """Return at most ``limit`` seals at the province, active or suspended, by identifier."""
        ...

    def ask_destruction(self, transaction: Transaction, seal_id: str, approval_id: str) -> None:
        """Write down which approval the seal's destruction waits for."""
        ...

    def mark_destroyed(self, transaction: Transaction, seal_id: str) -> bool:
        """Change revoked to destroyed, once; since when it was stopped stays as it was."""
        ...


class SealPolicyStore(Protocol):
    """Keeps the use policy of each seal."""

    def policy(self, transaction: Transaction, seal_id: str) -> UsePolicy:
        """Return the seal's policy; one that allows every holder everything if none was set."""
        ...

    def put_policy(self, transaction: Transaction, org_id: str, policy: UsePolicy) -> bool:
        """Store ``policy`` over the version before it; False if another is there meanwhile."""
        ...


class CallerRisks(Protocol):
    """What identity knows against a caller."""

    def risk_of(self, actor: Actor) -> int:
        """Return the highest risk (0 to 100) of account, session and client."""
        ...


class SealUseStore(Protocol):
    """Keeps the usage ledger: what each seal was put on."""

    def insert_use(self, transaction: Transaction, use: SealUse) -> None:
        """Add ``use`` to the usage ledger."""
        ...

    def use(self, transaction: Transaction, org_id: str, use_id: str) -> SealUse | None:
        """Return the entry if it belongs to ``org_id``."""
        ...

    def value_is_known(
        self, transaction: Transaction, seal_id: str, value_digest: str, *, since: int
    ) -> bool:
        """Tell whether a value of this SM3 was given out from the instant ``since`` on."""
        ...

    def uses_by_day(
        self, transaction: Transaction, seal_id: str, *, first: int, day: int
    ) -> Mapping[int, int]:
        """Return uses by how many times ``day`` (microseconds) they lie behind ``first``."""
        ...

    def uses_since(self, transaction: Transaction, seal_id: str, since: int) -> int:
        """Return how often the seal was used from the instant ``since`` on."""
        ...

    def uses(
        self, transaction: Transaction, seal_id: str, request: PageRequest
    ) -> Sequence[SealUse]:
        """Return a page of uses, newest first, one more than asked for."""
        ...
