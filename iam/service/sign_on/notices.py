"""Notices to owners: written with their cause, sent until a carrier took them.

The notice is a row of the unit of work that caused it, with the address as it was then: a
process that dies loses none, and an address that is changed afterwards keeps none away. One
that died while sending may send twice, under the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from iam.core.notices import TITLE, notice_text
from iam.core.openid_logout.patience import next_pause
from iam.models.messages import CarriedMessage, MessageAddress, OwnerNotice
from iam.service.means import Means
from iam.service.sign_on.sending import carrier_for, open_address
from secops.kernel.actors import system_actor
from secops.kernel.clock import MINUTE
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

BATCH: Final = 8
CLAIM: Final = 2 * MINUTE
"""A notice taken by a process that died is taken up again after so long."""
_ACTOR: Final = system_actor("notices")


@dataclass(frozen=True, slots=True)
class Cause:
    """What a notice is about: its kind, the thing's id, and the instant that the text names."""

    kind: str
    subject_id: str
    about: int


def notify_owner(
    means: Means,
    tx: Transaction,
    account_id: str,
    cause: Cause,
    addresses: Sequence[MessageAddress] | None = None,
) -> None:
    """Write a notice for each of the account's addresses, or of those given; a repeat is none."""
    if addresses is None:
        addresses = means.stores.message_addresses.of_account(tx, account_id)
    for address in addresses:
        notice = OwnerNotice(
            id=means.parts.ids.new("ntc"),
            org_id=address.org_id,
            account_id=account_id,
            channel=address.channel,
            kind=cause.kind,
            subject_id=cause.subject_id,
            sealed_address=address.sealed_address,
            about=cause.about,
            state="waiting",
            tries=0,
            next_at=tx.now,
            created_at=tx.now,
        )
        means.stores.owner_notices.add(tx, notice)


@dataclass(frozen=True, slots=True)
class NoticeService:
    """Sends what waits."""

    means: Means

    def deliver(self) -> bool:
        """Send what is due; True when more may wait."""
        means, until = self.means, self.means.now + CLAIM
        if not means.parts.transactions.read(means.stores.owner_notices.is_due):
            return False
        due = means.parts.transactions.run(
            lambda tx: means.stores.owner_notices.claim(tx, BATCH, until)
        )
        for notice in due:
            self._keep(self._tell(notice))
        return len(due) == BATCH

    def _tell(self, notice: OwnerNotice) -> OwnerNotice:
        """Return the notice as it stands after one more try; never raises a ``SecopsError``."""
        tries = notice.tries + 1
        try:
            self._send(notice)
        except SecopsError as error:
            pause = next_pause(tries)
            if pause is None:
                return replace(notice, state="failed", tries=tries, trouble=error.code)
            later = self.means.now + pause
            return replace(notice, tries=tries, next_at=later, trouble=error.code)
        return replace(notice, state="delivered", tries=tries, trouble="")

    def _send(self, notice: OwnerNotice) -> None:
        means = self.means
        carrier = carrier_for(means, notice.channel)
        site = urlsplit(means.options.issuer).netloc
        carrier.carry(
            CarriedMessage(
                to=open_address(means, notice),
                template=notice.kind,
                title=f"{TITLE.zh} {TITLE.en}",
                text=notice_text(notice.kind, site, notice.about),
                key=notice.id,
                parameters={"site": site},
            )
        )

    def _keep(self, notice: OwnerNotice) -> None:
        outcome: Outcome = "done" if notice.state == "delivered" else "failed"
        details = {"kind": notice.kind, "channel": notice.channel, "tries": notice.tries}
        act = Act("iam.notify_owner", _ACTOR, f"account:{notice.account_id}", outcome, details)

        def work(tx: Transaction) -> None:
            kept = self.means.stores.owner_notices.keep(tx, notice)
            if kept and notice.state != "waiting":
                tx.record(act)

        self.means.parts.transactions.run(work)
