"""Use of keys in Transit's words: sign, verify, encrypt, decrypt, HMAC.

Sans-IO: every use returns its act, and whoever answers makes the act durable first. A
use is allowed by the role (``kms.key.use``) and by a grant of this key for this operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.keys import lifecycle
from kms.core.transit import costs, requests, texts
from kms.core.transit.batch_root import batch_root
from kms.models.keys import DEFAULT_MOUNT, LoadedKey, Operation
from kms.service.batches import Batch, BatchUsed, is_plain
from kms.service.key_ring import KeyRing
from kms.service.key_use import Fields, KeyUse, Used
from kms.service.keys import subject_of
from kms.service.limits import KeyLimiter
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_USE
from secops.kernel.trail import Act
from secops.kernel.waiting import about_to_wait

_LOOP_MICROSECONDS: Final = 5_000
"""A batch that takes longer is worked off in a thread, so that nobody else waits for it."""
_DEMANDS: Final[dict[str, Operation]] = {
    "sign": "sign",
    "verify": "verify",
    "hmac": "hmac",
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "rewrap": "encrypt",
}


@dataclass(frozen=True, slots=True)
class Produced:
    """What a key made: ``text`` is ``vault:v<N>:…``; ``act`` must be durable before it goes out."""

    text: str
    key_version: int
    act: Act


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A signature as bytes: DER for SM2 and ECDSA."""

    signature: bytes
    key_version: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted plaintext."""

    plaintext: bytes
    act: Act

    @property
    def text(self) -> str:
        """The plaintext in Base64."""
        return texts.encode_base64(self.plaintext)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a signature or HMAC is of the input. A malformed one raises instead."""

    valid: bool
    act: Act


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key under a pool key; ``plaintext`` (Base64) only where it was asked for."""

    plaintext: str | None
    produced: Produced


class Transit:
    """Uses keys for callers."""

    def __init__(self, parts: Parts, ring: KeyRing, limiter: KeyLimiter) -> None:
        self._parts = parts
        self._ring = ring
        self._limiter = limiter
        self._use = KeyUse(ring, parts.randomness)

    def sign(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Produced:
        """Sign ``input``; SM2 hashes with ZA unless ``prehashed``."""
        loaded = self._granted(actor, name, mount, "sign")
        key = loaded.key
        request = requests.signature_request(key, fields, path_hash)
        used = self._use.sign(loaded, fields, request)
        details = {
            "version": used.key_version,
            "type": key.type,
            "prehashed": request.options.prehashed,
            "input_sha256": used.digest.hex(),
        }
        act = Act("kms.sign", actor, f"key:{key.id}", details=details)
        return Produced(used.text, used.key_version, act)

    def verify(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Verdict:
        """Tell whether ``signature`` or ``hmac`` is of ``input``."""
        loaded = self._granted(actor, name, mount, "verify")
        used = self._use.verify(loaded, fields, path_hash)
        return Verdict(used.valid, _read_act("kms.verify", actor, loaded, used))

    def encrypt(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Produced:
        """Encrypt ``plaintext``, bound to ``associated_data``."""
        loaded = self._granted(actor, name, mount, "encrypt")
        return _produced("kms.encrypt", actor, loaded, self._use.encrypt(loaded, fields))

    def decrypt(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Opened:
        """Decrypt ``ciphertext``; raise ``DecryptionFailed`` for anything changed."""
        loaded = self._granted(actor, name, mount, "decrypt")
        used = self._use.decrypt(loaded, fields)
        return Opened(used.plaintext, _read_act("kms.decrypt", actor, loaded, used))

    def rewrap(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Produced:
        """Encrypt ``ciphertext`` anew under the latest version; the plaintext stays here."""
        loaded = self._granted(actor, name, mount, "encrypt")
        return _produced("kms.rewrap", actor, loaded, self._use.rewrap(loaded, fields))

    def make_data_key(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        kind: str = "plaintext",
    ) -> DataKey:
        """Make a data key of ``bits`` 128, 256 (default) or 512, encrypted under the key.

        ``kind`` is ``plaintext`` or ``wrapped``: the latter keeps the plaintext here.
        """
        if kind not in ("plaintext", "wrapped"):
            msg = "a data key is asked for as plaintext or wrapped"
            raise Invalid(msg)
        loaded = self._granted(actor, name, mount, "encrypt")
        used = self._use.make_data_key(loaded, fields)
        shown = texts.encode_base64(used.plaintext) if kind == "plaintext" else None
        return DataKey(shown, _produced("kms.make_data_key", actor, loaded, used))

    def hmac(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Produced:
        """Return the HMAC of ``input``."""
        loaded = self._granted(actor, name, mount, "hmac")
        return _produced("kms.hmac", actor, loaded, self._use.hmac(loaded, fields, path_hash))

    def use_batch(self, actor: Actor, name: str, batch: Batch) -> BatchUsed:
        """Do one thing with many items: asked for once, with one leaf over all of them.

        Each item has its answer, or its own error; what stands against all of them is raised.
        """
        items, verb = batch.items, batch.verb
        loaded = self._allowed(actor, name, batch.mount, _DEMANDS[verb])
        if len(items) * costs.microseconds(loaded.key.type, verb) > _LOOP_MICROSECONDS:
            about_to_wait()
        self._limiter.demand(actor, loaded.key, len(items))
        use = self._item_use(loaded, batch)
        outcomes: list[Used | SecopsError] = []
        for item in items:
            try:
                outcomes.append(use(item))
            except SecopsError as error:
                # what stands against all items (no backend, tampering) is an answer to the request
                if error.status not in (400, 422):
                    raise
                outcomes.append(error)
        return BatchUsed(outcomes, _batch_act(actor, loaded, verb, outcomes))

    def _item_use(self, loaded: LoadedKey, batch: Batch) -> Callable[[Fields], Used]:
        use, path_hash, whole = self._use, batch.path_hash, batch.whole
        if batch.verb == "sign":
            return self._item_sign(loaded, batch)
        if batch.verb == "verify":
            return lambda item: use.verify(loaded, whole(item), path_hash)
        if batch.verb == "hmac":
            return lambda item: use.hmac(loaded, whole(item), path_hash)
        plain = {"encrypt": use.encrypt, "decrypt": use.decrypt, "rewrap": use.rewrap}[batch.verb]
        return lambda item: plain(loaded, whole(item))

    def _item_sign(self, loaded: LoadedKey, batch: Batch) -> Callable[[Fields], Used]:
        """Items that bring nothing of their own but the input share one reading of the wishes."""
        sign, key, path_hash = self._use.sign, loaded.key, batch.path_hash
        kept: list[Callable[[Fields], Used]] = []

        def use(item: Fields) -> Used:
            if not is_plain(item):
                whole = batch.whole(item)
                return sign(loaded, whole, requests.signature_request(key, whole, path_hash))
            if not kept:
                request = requests.signature_request(key, batch.shared, path_hash)
                kept.append(self._use.plain_signer(loaded, request))
            return kept[0](item)

        return use

    def sign_bytes(self, actor: Actor, name: str, message: bytes) -> SignedBytes:
        """Sign ``message`` with default options; the leaf is durable when this returns.

        For callers without a lane that records for them, e.g. the command line.
        """
        made = self.sign(actor, name, {"input": texts.encode_base64(message)})
        self._parts.trail.append([made.act])
        _, payload = texts.read_text(made.text, "signature")
        return SignedBytes(texts.decode_base64(payload, "signature"), made.key_version)

    def verify_bytes(self, actor: Actor, name: str, message: bytes, signature: bytes) -> int | None:
        """Return the version that made ``signature`` (DER) over ``message``; None if none did."""
        key = self._granted(actor, name, DEFAULT_MOUNT, "verify").key
        encoded = {"input": texts.encode_base64(message)}
        payload = texts.encode_base64(signature)
        for version in range(key.latest_version, key.min_decryption_version - 1, -1):
            fields = {**encoded, "signature": texts.write_text(version, payload)}
            verdict = self.verify(actor, name, fields)
            self._parts.trail.append([verdict.act])
            if verdict.valid:
                return version
        return None

    def _granted(self, actor: Actor, name: str, mount: str, operation: Operation) -> LoadedKey:
        loaded = self._allowed(actor, name, mount, operation)
        self._limiter.demand(actor, loaded.key)
        return loaded

    def _allowed(self, actor: Actor, name: str, mount: str, operation: Operation) -> LoadedKey:
        self._parts.access.require(actor, KEY_USE, f"key:{name}")
        loaded = self._ring.usable(actor.org_id, name, mount=mount)
        lifecycle.demand_operation(loaded, operation, subject_of(actor))
        if operation != "verify" and loaded.is_outside:
            # for a device, and before the use is counted: a handler that waits later is run again
            about_to_wait()
        return loaded


def _produced(action: str, actor: Actor, loaded: LoadedKey, used: Used) -> Produced:
    return Produced(used.text, used.key_version, _read_act(action, actor, loaded, used))


def _read_act(action: str, actor: Actor, loaded: LoadedKey, used: Used) -> Act:
    """Return the act of a bulk use: digest of the input or ciphertext, never its content.

    Those that become durable together share a leaf, in which each keeps its own line.
    """
    details = {"sha256": used.digest.hex(), "valid": used.valid}
    return Act(action, actor, f"key:{loaded.key.id}", details=details, bulk=True)


def _batch_act(
    actor: Actor, loaded: LoadedKey, verb: str, outcomes: Sequence[Used | SecopsError]
) -> Act:
    """Return the one leaf of a batch: how many, by which versions, and the root over the items."""
    done = [outcome for outcome in outcomes if isinstance(outcome, Used)]
    details = {
        "batch": len(outcomes),
        "done": len(done),
        "invalid": sum(not used.valid for used in done),
        "versions": sorted({used.key_version for used in done}),
        "type": loaded.key.type,
        "root_sha256": batch_root([used.digest for used in done]),
    }
    return Act(f"kms.{verb}", actor, f"key:{loaded.key.id}", details=details)
