"""Whoever leaves upstream is locked here: at their next sign-in, or by a scheduled look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.exclusion import administers
from iam.core.upstream_plan import status_url_of
from iam.models.upstream import Upstream, UpstreamLink
from iam.service.means import Means
from iam.service.protection.account_locks import lock_account
from iam.service.upstream.linking import subject_binding
from iam.service.upstream.providers import Providers
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import HOUR
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

CHECK_EVERY: Final = 6 * HOUR
BATCH: Final = 20
_BELIEVABLE: Final = 3
_SILENT: Final = 3
"""How many in a row a provider may not tell about before it counts as down."""
"""More leavers than this in one batch, and more than half of it, are a provider's mistake."""


def upstream_actor(upstream: Upstream) -> Actor:
    """Return the provider as whoever acts, for the ledger."""
    return system_actor("upstream", upstream.org_id)


def lock_leaver(means: Means, upstream: Upstream, account_id: str) -> bool:
    """Lock an account and end its sessions; False if the provider may not lock it.

    An administrator's account is locked only where the provider may sign administrators in:
    a provider gone wrong must not take the house's keys away.
    """
    read = means.parts.transactions.read
    roles = read(lambda tx: means.stores.roles.of_subject(tx, account_id))
    details = {"upstream": upstream.plan.id, "reason": "left upstream"}
    actor, target = upstream_actor(upstream), f"account:{account_id}"
    if administers(roles) and not upstream.plan.trust.administrators:
        act = Act("iam.lock_account", actor, target, "refused", details)
        means.parts.transactions.run(lambda tx: tx.record(act))
        return False

    lock_account(means, actor, account_id, details)
    return True


@dataclass(frozen=True, slots=True)
class LeaverCheck:
    """Asks providers that can be asked about the people linked to them, a batch at a time."""

    means: Means
    providers: Providers

    def tick(self) -> bool:
        """Check one batch of each provider; True when more waits."""
        read = self.means.parts.transactions.read
        more = [
            self._check(one)
            for one in read(self.means.stores.upstreams.active)
            if _can_be_asked(one)
        ]
        return any(more)

    def _check(self, upstream: Upstream) -> bool:
        read = self.means.parts.transactions.read
        before = self.means.now - CHECK_EVERY
        links = read(
            lambda tx: self.means.stores.upstream_links.links_to_check(
                tx, before, [upstream.plan.id], BATCH
            )
        )
        asked, left = self._ask(upstream, links)
        if len(left) > _BELIEVABLE and 2 * len(left) > len(asked):
            self._object(upstream, len(left))
        else:
            for link in left:
                lock_leaver(self.means, upstream, link.account_id)
        self.means.parts.transactions.run(lambda tx: self._note(tx, asked))
        return len(asked) == BATCH

    def _ask(
        self, upstream: Upstream, links: Sequence[UpstreamLink]
    ) -> tuple[list[UpstreamLink], list[UpstreamLink]]:
        """Return who was asked about and who has left; stop where the provider is silent.

        One that it cannot tell about must not keep the others from being asked about.
        """
        provider = self.providers.open(upstream)
        asked, left, silence = [], [], 0
        for link in links:
            binding = subject_binding(link.upstream_id, link.subject_key)
            subject = self.means.box.open(link.sealed_subject, binding).decode()
            standing = provider.standing(subject)
            asked.append(link)
            silence = silence + 1 if standing == "unknown" else 0
            if silence == _SILENT:
                break
            if standing == "left":
                left.append(link)
        return asked, left

    def _note(self, tx: Transaction, asked: Sequence[UpstreamLink]) -> None:
        for link in asked:
            self.means.stores.upstream_links.checked(tx, link)

    def _object(self, upstream: Upstream, count: int) -> None:
        details = {"left": count, "reason": "too many at once to be believed"}
        act = Act(
            "iam.check_upstream",
            upstream_actor(upstream),
            f"upstream:{upstream.plan.id}",
            "refused",
            details,
        )
        self.means.parts.transactions.run(lambda tx: tx.record(act))


def _can_be_asked(upstream: Upstream) -> bool:
    return upstream.plan.kind == "ldap" or bool(status_url_of(upstream.plan.settings))
