"""Who vouches for a playbook: verified when it is planned and again when it starts."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, Final

from playbooks.core.cacao20.signing import (
    Signee,
    milliseconds,
    new_signature,
    require_in_force,
    signed_digest,
    verify_signatures,
    with_value,
)
from playbooks.errors import PlaybookNotFound
from playbooks.errors.signatures import PlaybookUnsigned, SignatureInvalid
from playbooks.models import CheckedPlaybook, StoredPlaybook
from playbooks.models.signatures import VerifiedSignature
from playbooks.service.playbooks.checking import require_playbook
from playbooks.service.surroundings import Surroundings

_NAMESPACE: Final = uuid.UUID("5d2a7f0e-93f4-5b1c-8a4e-c0b8f5a1d6e7")
_KEPT: Final = 512
"""Checked playbooks that a process remembers."""


def identity_of(org_id: str) -> str:
    """Return the STIX identity under which an organisation signs: the same in every process."""
    return f"identity--{uuid.uuid5(_NAMESPACE, org_id)}"


class Trust:
    """Signs playbooks and verifies them. Safe in any number of threads."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._checked: dict[str, CheckedPlaybook] = {}

    def checked(self, entry: StoredPlaybook) -> CheckedPlaybook:
        """Return what ``entry`` holds; raise ``SignatureInvalid`` if its content was changed."""
        digest = hashlib.sha256(entry.content.encode()).hexdigest()
        found = self._checked.get(digest)
        if found is None:
            found = require_playbook(entry.content.encode())
            if len(self._checked) >= _KEPT:
                self._checked.clear()
            self._checked[digest] = found
        if found.content_hash != entry.content_hash:
            msg = f"{entry.content_hash}: the register holds another content under this hash"
            raise SignatureInvalid(msg)
        return found

    def verify(self, entry: StoredPlaybook) -> VerifiedSignature:
        """Return the signature that counts now; raise why there is none."""
        document = self.checked(entry).document
        if entry.state != "approved":
            require_in_force(document, self._s.parts.clock.now(), "the playbook")
            msg = f"{entry.name} ({entry.modified}) is {entry.state}"
            raise PlaybookUnsigned(msg)
        return self.verify_document(entry.org_id, document, entry.signatures)

    def verify_document(
        self, org_id: str, document: Mapping[str, Any], signatures: tuple[Mapping[str, Any], ...]
    ) -> VerifiedSignature:
        """Return which of ``signatures`` counts for ``org_id`` now; raise why none does."""
        return verify_signatures(
            document,
            signatures,
            self._s.ports.signatures.keys(),
            self._s.parts.clock.now(),
            own=identity_of(org_id),
        )

    def require(self, org_id: str, playbook: CheckedPlaybook) -> VerifiedSignature:
        """Return who vouches for exactly this content in the register of ``org_id``."""
        try:
            entry = self._s.parts.transactions.read(
                lambda tx: self._s.stores.playbooks.get(tx, org_id, playbook.content_hash)
            )
        except PlaybookNotFound as error:
            now = self._s.parts.clock.now()
            require_in_force(playbook.document, now, "the playbook")
            msg = f"{playbook.name} ({playbook.modified}) is not in the register"
            raise PlaybookUnsigned(msg) from error
        return self.verify(entry)

    def sign(self, org_id: str, entry: StoredPlaybook) -> dict[str, Any]:
        """Return the organisation's signature on ``entry``; raise ``Unavailable``."""
        document = self.checked(entry).document
        key = self._s.ports.signatures.keys()[0]
        now = self._s.parts.clock.now()
        name = uuid.uuid5(_NAMESPACE, self._s.parts.ids.new("jss"))
        signee = Signee(self._s.options.unit_name, identity_of(org_id), key.der)
        at = milliseconds(now)
        bare = new_signature(document, signee, identifier=f"jss--{name}", at=at)
        made = self._s.ports.signatures.sign(key, signed_digest(document, bare))
        return with_value(bare, made)
