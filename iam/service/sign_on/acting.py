"""Acting for a legal person: a session is bound to a checked mandate, until it ends.

Whatever is granted under it is the mandate *and* the policies; the factors stay the agent's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from iam.core.mandates import covers, holds, mandate_text
from iam.errors import MandateRefused
from iam.models.accounts import ActingContext, LegalPerson, Mandate
from iam.ports import MandateSigner
from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_KNOWN: Final = 10_000


def epoch_id(mandate_id: str) -> str:
    """Return what an ended mandate is called among revoked tokens."""
    return f"mandate:{mandate_id}"


@dataclass(frozen=True, slots=True)
class ActingService:
    """Chooses, and tells, for whom a session acts."""

    means: Means
    signer: MandateSigner
    _known: set[bytes] = field(default_factory=set)

    def verify(self, tx: Transaction, mandate: Mandate) -> LegalPerson:
        """Return whom the mandate is of, after every check; raise ``MandateRefused``.

        1 not revoked, within its dates · 2 not ended by the epoch · 3 the agent's account is
        open · 4 the legal person is registered · 5 the pool's signature fits.
        """
        if not holds(mandate, tx.now) or self.ended(mandate.id):
            msg = "the mandate was revoked, has not begun, or is over"
            raise MandateRefused(msg)
        if self.means.stores.accounts.get(tx, mandate.agent_id).state != "active":
            msg = "the agent's account is not active"
            raise MandateRefused(msg)
        legal = self.means.stores.legal_persons.get(tx, mandate.legal_person_id)
        self._verify_signature(mandate, legal)
        return legal

    def _verify_signature(self, mandate: Mandate, legal: LegalPerson) -> None:
        if mandate.signature is None:
            msg = "the mandate is not signed"
            raise MandateRefused(msg)
        text = mandate_text(mandate, legal)
        digest = hashlib.sha256(text + mandate.signature).digest()
        if digest in self._known:
            return
        self.signer.verify_mandate(text, mandate.signature)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known.add(digest)

    def ended(self, mandate_id: str) -> bool:
        """Tell from memory whether the mandate was revoked: asked wherever a token names one."""
        return self.means.parts.revocations.is_revoked("token", epoch_id(mandate_id))

    def choices(self, actor: Actor) -> Sequence[ActingContext]:
        """Return for whom the caller may act now."""

        def work(tx: Transaction) -> list[ActingContext]:
            found = []
            for mandate in self.means.stores.mandates.alive(tx, agent_id=actor.id):
                try:
                    found.append(ActingContext(mandate, self.verify(tx, mandate)))
                except MandateRefused:
                    continue
            return found

        return self.means.parts.transactions.read(work)

    def act_for(self, actor: Actor, mandate_id: str | None) -> ActingContext | None:
        """Let the caller's session act under a mandate of theirs, or (None) for itself again.

        Raises ``NotFound`` for another's mandate, ``MandateRefused`` where it does not hold.
        """
        session_id = actor.session_id
        if session_id is None or actor.kind != "account":
            msg = "only a person's own session acts for a legal person"
            raise MandateRefused(msg)

        def work(tx: Transaction) -> ActingContext | None:
            context = None
            if mandate_id is not None:
                mandate = self.means.stores.mandates.get(tx, mandate_id)
                if mandate.agent_id != actor.id:
                    msg = "there is no such mandate"
                    raise NotFound(msg)
                context = ActingContext(mandate, self.verify(tx, mandate))
            self.means.stores.mandates.act(tx, session_id, context.mandate if context else None)
            tx.record(_act(actor, context))
            return context

        return self.means.parts.transactions.run(work)

    def context(self, tx: Transaction, session_id: str) -> ActingContext | None:
        """Return for whom the session acts now; raise ``MandateRefused`` if that ended.

        Whoever issues tokens asks this: a mandate that ended must not silently turn the
        legal person's session into the agent's own.
        """
        mandate_id = self.means.stores.mandates.acting(tx, session_id)
        if mandate_id is None:
            return None
        mandate = self.means.stores.mandates.get(tx, mandate_id)
        return ActingContext(mandate, self.verify(tx, mandate))

    def context_of(self, session_id: str) -> ActingContext | None:
        """Return ``context`` in a reading transaction of its own."""
        return self.means.parts.transactions.read(lambda tx: self.context(tx, session_id))

    def acting_of(self, actor: Actor) -> ActingContext | None:
        """Return for whom the caller's session acts; None too where the mandate has ended."""
        if actor.session_id is None:
            return None
        try:
            return self.context_of(actor.session_id)
        except MandateRefused:
            return None

    def require_covered(self, context: ActingContext, kind: str, identifier: str) -> None:
        """Raise ``MandateRefused`` unless the mandate covers the ``service`` or ``seal``."""
        if not covers(context.mandate, kind, identifier):
            msg = f"the mandate does not cover the {kind} {identifier}"
            raise MandateRefused(msg)


def _act(actor: Actor, context: ActingContext | None) -> Act:
    """Return the leaf; it names both, the agent as who acted and the legal person."""
    if context is None:
        return Act("iam.stop_acting", actor, f"session:{actor.session_id}")
    details = {
        "mandate": context.mandate.id,
        "legal_person": context.legal_person.id,
        "agent": context.mandate.agent_id,
    }
    return Act("iam.act_for", actor, f"legal_person:{context.legal_person.id}", details=details)
