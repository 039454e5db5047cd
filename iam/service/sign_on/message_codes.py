"""Signing in with a code by message after a password: offered, sent; ``codes`` judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iam.core.message_codes import CODE_LIFETIME
from iam.errors import ChannelOff, MessageCodeNotAdmitted, SignInRefused
from iam.models.messages import CodeWish, MaskedAddress, MessageAddress, SentCode
from iam.models.sessions import FactorAttempt
from iam.service.means import Means
from iam.service.sign_on.codes import admits_message_code
from iam.service.sign_on.opening import Begun, Opening, Subject, resume
from iam.service.sign_on.sending import (
    Dispatch,
    channel_named,
    mask_of,
    open_address,
    send_code,
)
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class MessageCodeService:
    """Codes that go to a confirmed number or mail address, after a right password.

    Never for the three administrators and auditors, and never as the further proof of an
    unusual sign-in: a message is read by whoever took the number over.
    """

    means: Means
    opening: Opening

    def offered(self, reference: str, remote: str, device: str = "") -> Sequence[MaskedAddress]:
        """Return where a code could go, masked; nothing where none may."""
        if not self.means.carriers:
            return ()
        try:
            begun, subject, known = self._look(FactorAttempt(reference, "", remote, device=device))
        except SignInRefused:
            return ()
        if not admits_message_code(begun, subject):
            return ()
        carried = {carrier.channel for carrier in self.means.carriers}
        return [
            MaskedAddress(each.channel, mask_of(self.means, each), each.created_at)
            for each in known
            if each.channel in carried
        ]

    def send_code(self, wish: CodeWish) -> str:
        """Send a code for the sign-in of ``reference``; return where it went, masked.

        It counts for this sign-in only, for 5 minutes, and an earlier one no more. Raises
        ``SignInRefused``, ``MessageCodeNotAdmitted``, ``ChannelOff``, ``TooManyMessages`` or
        ``MessageNotSent``; the last leaves every other factor usable.
        """
        means = self.means
        channel = channel_named(wish.channel)
        attempt = FactorAttempt(wish.reference, "", wish.address, device=wish.device)
        begun, subject, known = self._look(attempt)
        asker = _asker(subject)
        if not admits_message_code(begun, subject):
            self._refuse(asker)
        held = next((each for each in known if each.channel == channel), None)
        if held is None:
            raise ChannelOff
        code = SentCode(
            attempt=begun.once[1],
            org_id=subject.account.org_id,
            account_id=subject.account.id,
            purpose="sign_in",
            channel=channel,
            digest=b"",
            expires_at=means.now + CODE_LIFETIME,
        )
        send_code(
            means, Dispatch(code, open_address(means, held), asker, wish.address, wish.language)
        )
        return mask_of(means, held)

    def _look(self, attempt: FactorAttempt) -> tuple[Begun, Subject, Sequence[MessageAddress]]:
        begun = resume(self.means, attempt)

        def work(tx: Transaction) -> tuple[Subject, Sequence[MessageAddress]]:
            subject = self.opening.subject(tx, begun.account_id, begun.keys)
            addresses = self.means.stores.message_addresses
            return subject, addresses.of_account(tx, begun.account_id)

        subject, known = self.means.parts.transactions.read(work)
        return begun, subject, known

    def _refuse(self, asker: Actor) -> None:
        act = Act("iam.send_code", asker, f"account:{asker.id}", "refused", {"purpose": "sign_in"})
        self.means.parts.transactions.run(lambda tx: tx.record(act))
        raise MessageCodeNotAdmitted


def _asker(subject: Subject) -> Actor:
    account = subject.account
    return Actor(kind="account", id=account.id, org_id=account.org_id, name=account.id)
