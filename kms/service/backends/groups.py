"""Groups of backends that hold the same objects: whoever is well does the work.

Every signature is verified by our own engine, every ciphertext opened again, before it leaves:
a wrong one counts as a failure of the member and the next one is asked. Where nobody is left
the caller gets 503.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kms.core.backends.placement import demand_place, fitting_rule, place_key
from kms.errors.backends import (
    BackendFault,
    BackendNotFound,
    BackendUnavailable,
    BackendWrongAnswer,
)
from kms.errors.keys import NotExportable
from kms.models.backends import (
    SOFTWARE,
    BackendRecord,
    HeldObject,
    KeyWish,
    MadeObject,
    NewObject,
    Offer,
    Placement,
)
from kms.ports.backends import BackendStore, Cipher, KeyBackend
from kms.service.backends.members import Member
from secops.crypto import signatures
from secops.crypto.ciphers import KEY_LENGTHS
from secops.crypto.errors import DecryptionFailed
from secops.crypto.options import SignatureOptions
from secops.kernel.actors import system_actor
from secops.kernel.ids import Randomness
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import about_to_wait

T = TypeVar("T")


class Group:
    """Members that stand in for one another, the preferred first."""

    def __init__(self, name: str, members: Sequence[Member], randomness: Randomness) -> None:
        self.name = name
        self._randomness = randomness
        self.members = sorted(members, key=lambda each: each.options.preference)

    def call(self, work: Callable[[KeyBackend], T], verify: Callable[[T], None]) -> T:
        """Return what the first member that is well makes; raise ``BackendUnavailable``."""
        about_to_wait()
        failure: BackendFault | None = None
        for member in self.members:
            if not member.is_ready():
                continue
            try:
                return member.work(work, verify)
            except BackendFault as error:
                failure = error
        msg = f"no backend of the group {self.name} works now"
        raise BackendUnavailable(msg) from failure

    def demand_ready(self, taking: frozenset[str]) -> None:
        """Return if a new key can be made now; raise ``BackendUnavailable``.

        ``taking`` names the backends that are not drained. A group needs every member: fail-over
        is worth nothing without the key.
        """
        about_to_wait()
        for member in self.members:
            name = member.options.name
            if name not in taking or not member.is_ready():
                raise BackendUnavailable(f"a new key needs the backend {name}, which can't make it")

    def make(self, wish: NewObject) -> MadeObject:
        """Make an object: in the one member, or the same one in all of several.

        Index machines hold the same pair already, which is seen from its public key; tokens
        get material made here, which is in this process for that moment.
        """
        alone = len(self.members) == 1 or wish.slot is not None
        material = None if alone else self._material(wish.algorithm)
        made = [
            member.work(lambda backend: backend.generate(wish, material), _accept)
            for member in self.members
        ]
        if len({each.public_key for each in made}) != 1:
            msg = f"the backends of {self.name} hold different keys at index {wish.slot}"
            raise BackendWrongAnswer(msg)
        return made[0]

    def _material(self, algorithm: str) -> bytes:
        if algorithm in signatures.ALGORITHMS:
            return signatures.generate(algorithm)
        return self._randomness.bytes(KEY_LENGTHS[algorithm])


@dataclass(frozen=True, slots=True)
class GroupPrivateKey:
    """Signs wherever the key is; its material is not to be had."""

    group: Group
    held: HeldObject
    public_key: signatures.PublicKey

    @property
    def der(self) -> bytes:
        """Raise ``NotExportable``."""
        raise NotExportable(f"the key's material is in {self.group.name}")

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        """Return the signature, verified here; raise ``BackendUnavailable``."""
        return self.group.call(
            lambda backend: backend.private_key(self.held).sign(message, options),
            lambda signature: self.public_key.verify(signature, message, options),
        )


@dataclass(frozen=True, slots=True)
class GroupCipher:
    """Encrypts and decrypts wherever the key is."""

    group: Group
    held: HeldObject

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return the ciphertext, opened again by the same member before it leaves."""

        def work(backend: KeyBackend) -> bytes:
            cipher = backend.cipher(self.held)
            sealed = cipher.seal(plaintext, aad)
            try:
                same = cipher.unseal(sealed, aad) == plaintext
            except DecryptionFailed:
                same = False
            if not same:
                raise BackendWrongAnswer(f"{backend.options.name}: a wrong ciphertext")
            return sealed

        return self.group.call(work, _accept)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the plaintext; raise ``DecryptionFailed`` for anything changed."""
        return self.group.call(
            lambda backend: backend.cipher(self.held).unseal(sealed, aad), _accept
        )


class KeyBackends:
    """All configured groups, and where new keys go."""

    def __init__(
        self,
        parts: Parts,
        store: BackendStore,
        software: KeyBackend,
        backends: Sequence[KeyBackend] = (),
        placements: Sequence[Placement] = (),
    ) -> None:
        self.software = software
        self._parts = parts
        self._store = store
        self._placements = placements
        self.members = tuple(Member(each, parts.clock, self.note_check) for each in backends)
        families: dict[str, list[Member]] = {}
        for member in self.members:
            families.setdefault(member.options.family, []).append(member)
        self.groups: Mapping[str, Group] = {
            name: Group(name, members, parts.randomness) for name, members in families.items()
        }

    def group(self, name: str) -> Group:
        """Return the group ``name``; raise ``BackendUnavailable`` if it isn't configured here."""
        found = self.groups.get(name)
        if found is None:
            raise BackendUnavailable(f"the backends {name} are not configured here")
        return found

    def member(self, name: str) -> Member:
        """Return one backend; raise ``BackendNotFound``."""
        for member in self.members:
            if member.options.name == name:
                return member
        raise BackendNotFound(f"no backend {name[:64]!r} is configured")

    def private_key(self, group: str, held: HeldObject) -> signatures.PrivateKey:
        """Return what signs with the key that ``group`` holds."""
        public = signatures.public_key(held.algorithm, held.public_key)
        return GroupPrivateKey(self.group(group), held, public)

    def cipher(self, group: str, held: HeldObject) -> Cipher:
        """Return what encrypts with the key that ``group`` holds."""
        return GroupCipher(self.group(group), held)

    def place(self, wish: KeyWish, wanted: str = "") -> str:
        """Return the group for a new key: ``wanted``, or what the rules say."""
        if wanted == SOFTWARE:
            return SOFTWARE
        if wanted:
            return demand_place(wish, wanted, self._offers((wanted,)))
        rule = fitting_rule(wish, self._placements)
        # only the rule's own groups are asked: software waits for no device
        return SOFTWARE if rule is None else place_key(wish, (rule,), self._offers(rule.groups))

    def takes(self, name: str) -> bool:
        """Tell whether the group ``name`` is configured and takes new keys."""
        group = self.groups.get(name)
        taking = self.taking()
        return group is not None and all(each.options.name in taking for each in group.members)

    def taking(self) -> frozenset[str]:
        """Return the names of the backends that take new keys."""
        records = self.records()
        return frozenset(
            member.options.name
            for member in self.members
            if not records.get(member.options.name, BackendRecord("")).draining
        )

    def records(self) -> dict[str, BackendRecord]:
        """Return what all processes know of the backends, by name."""
        return self._parts.transactions.read(self._store.records)

    def close(self) -> None:
        """Let go of every backend's sessions and threads."""
        for member in self.members:
            member.backend.close()

    def _offers(self, names: Sequence[str]) -> dict[str, Offer]:
        taking = self.taking()
        offers = {SOFTWARE: Offer(self.software.algorithms)}
        for group in (self.groups[name] for name in names if name in self.groups):
            members = {member.options.name for member in group.members}
            offers[group.name] = Offer(
                frozenset.intersection(*(each.backend.algorithms for each in group.members)),
                frozenset(member.options.centre for member in group.members),
                draining=not members <= taking,
            )
        return offers

    def note_check(self, name: str, failure: str) -> None:
        """Keep as evidence how a backend fares: what it failed by, "" for a check it passed."""
        act = Act(
            "kms.check_backend",
            system_actor("kms"),
            f"backend:{name}",
            "failed" if failure else "done",
            {"failure": failure},
        )

        def work(transaction: Transaction) -> None:
            self._store.put_check(transaction, name, failure)
            transaction.record(act)

        self._parts.transactions.run(work)


def _accept(_made: object) -> None:
    """Nothing more to verify."""
