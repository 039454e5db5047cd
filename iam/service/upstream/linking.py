"""Which account a proof stands for: the linked one, else the one of the person it proves.

Never the one of a name or an e-mail address, which providers let people choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from iam.core.exclusion import administers
from iam.core.gb32100.credit_code import canonical_credit_code
from iam.errors import IdentityInvalid, UpstreamRefused, UpstreamUnlinked
from iam.models.accounts import IdentityDocument
from iam.models.upstream import RealNameLevel, Upstream, UpstreamLink, UpstreamProof
from iam.service.means import Means
from iam.service.people.accounts import person_key
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


def subject_key(means: Means, issuer: str, subject: str) -> bytes:
    """Return the keyed hash a subject of an issuer is known by."""
    return means.keys.mac("upstream-subject", f"{issuer}|{subject}".encode())


def subject_binding(upstream_id: str, key: bytes) -> bytes:
    """Return what a sealed subject is bound to."""
    return f"upstream-subject|{upstream_id}|{key.hex()}".encode()


@dataclass(frozen=True, slots=True)
class Linking:
    """Finds, makes and checks links, inside one unit of work."""

    means: Means

    def find(self, tx: Transaction, upstream: Upstream, proof: UpstreamProof) -> str | None:
        """Return the linked account, None if the subject is not linked yet."""
        key = subject_key(self.means, proof.issuer, proof.subject)
        link = self.means.stores.upstream_links.find_link(tx, upstream.plan.id, key)
        return None if link is None else link.account_id

    def link(self, tx: Transaction, upstream: Upstream, proof: UpstreamProof) -> str:
        """Return the account of ``proof``; link it first if need be.

        Raises ``UpstreamUnlinked`` where none or several fit, ``UpstreamRefused`` where the
        provider now says that the subject is somebody else, or administers.
        """
        known = self.find(tx, upstream, proof)
        account_id, rule = (known, "") if known else self._person(tx, upstream, proof)
        self._refuse_other_person(tx, account_id, proof)
        roles = self.means.stores.roles.of_subject(tx, account_id)
        if administers(roles) and not upstream.plan.trust.administrators:
            msg = "administrators sign in with local factors"
            raise UpstreamRefused(msg)
        if known is None:
            self._make(tx, upstream, proof, (account_id, rule))
        self._take_level(tx, upstream, proof, account_id)
        return account_id

    def _person(self, tx: Transaction, upstream: Upstream, proof: UpstreamProof) -> tuple[str, str]:
        """Return the one account that stands for the person, and by which rule."""
        for rule in upstream.plan.trust.link_by:
            found = _RULES[rule](self.means, tx, upstream.org_id, proof)
            if len(found) > 1:
                msg = "several accounts stand for this person"
                raise UpstreamUnlinked(msg)
            if found:
                return str(found[0]), rule
        msg = "no account stands for this person"
        raise UpstreamUnlinked(msg)

    def _refuse_other_person(self, tx: Transaction, account_id: str, proof: UpstreamProof) -> None:
        """Refuse a subject that the provider gave to another person."""
        if not proof.id_number:
            return
        known = self.means.stores.upstream_links.person_key(tx, account_id)
        if known is not None and known != _key_of(self.means, proof.id_number):
            msg = "the subject stands for another person now"
            raise UpstreamRefused(msg)

    def _make(
        self, tx: Transaction, upstream: Upstream, proof: UpstreamProof, found: tuple[str, str]
    ) -> None:
        means, (account_id, rule) = self.means, found
        upstream_id = upstream.plan.id
        key = subject_key(means, proof.issuer, proof.subject)
        sealed = means.box.seal(proof.subject.encode(), subject_binding(upstream_id, key))
        means.stores.upstream_links.link(
            tx,
            UpstreamLink(
                upstream_id=upstream_id,
                subject_key=key,
                org_id=upstream.org_id,
                account_id=account_id,
                sealed_subject=sealed,
                rule=rule,
                linked_at=tx.now,
                checked_at=tx.now,
            ),
        )
        account = means.stores.accounts.get(tx, account_id)
        if account.state == "pending":
            # made for this very person, who has proved it: no enrolment is needed any more
            means.stores.accounts.set_state(tx, account_id, "active")
        actor = Actor(kind="account", id=account_id, org_id=account.org_id, name=account_id)
        details = {"upstream": upstream_id, "rule": rule, "state": account.state}
        tx.record(Act("iam.link_upstream", actor, f"account:{account_id}", details=details))

    def _take_level(
        self, tx: Transaction, upstream: Upstream, proof: UpstreamProof, account_id: str
    ) -> None:
        trust = upstream.plan.trust
        level = trust.levels.get(proof.level)
        until = tx.now + trust.level_days * DAY
        if proof.level_until is not None:
            until = min(until, proof.level_until)
        if level is None or until <= tx.now:
            return
        scheme = self.means.schemes.known.get(trust.scheme)
        if scheme is not None and level not in scheme.rungs:
            return  # no number of this scheme: nobody could have said it
        self.means.stores.upstream_links.put_level(
            tx,
            RealNameLevel(
                account_id=account_id,
                org_id=upstream.org_id,
                scheme=trust.scheme,
                level=level,
                source=upstream.plan.id,
                at=tx.now,
                expires_at=until,
            ),
        )


def _key_of(means: Means, id_number: str) -> bytes:
    try:
        return person_key(means, IdentityDocument("cn-id", id_number))
    except IdentityInvalid as error:
        msg = "the provider's identity number is malformed"
        raise UpstreamRefused(msg) from error


def _by_number(means: Means, tx: Transaction, org_id: str, proof: UpstreamProof) -> Any:
    if not proof.id_number:
        return ()
    key = _key_of(means, proof.id_number)
    return means.stores.upstream_links.accounts_of_person(tx, org_id, key)


def _by_credit_code(means: Means, tx: Transaction, org_id: str, proof: UpstreamProof) -> Any:
    if not proof.credit_code:
        return ()
    try:
        code = canonical_credit_code(proof.credit_code)
    except IdentityInvalid as error:
        msg = "the provider's credit code is malformed"
        raise UpstreamRefused(msg) from error
    return means.stores.upstream_links.accounts_of_body(tx, org_id, code)


_RULES: Final[dict[str, Callable[[Means, Transaction, str, UpstreamProof], Any]]] = {
    "cn-id": _by_number,
    "uscc": _by_credit_code,
}
