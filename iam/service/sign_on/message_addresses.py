"""One's own number and mail address: confirmed by a code, changed only after a fresh sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.message_addresses import masked_address, normal_address
from iam.core.message_codes import CODE_LIFETIME, is_code
from iam.core.notices import ADDRESS_CHANGED
from iam.errors import SignInRefused, TokenRefused
from iam.models.messages import (
    AskedAddress,
    Channel,
    MaskedAddress,
    MessageAddress,
    NewAddress,
    SentCode,
)
from iam.service.means import Means
from iam.service.sign_on.guessing import count_factor_failure, factor_refused, guess_keys
from iam.service.sign_on.notices import Cause, notify_owner
from iam.service.sign_on.owning import owner_of, require_fresh
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sending import (
    Dispatch,
    carrier_for,
    channel_named,
    code_digest,
    mask_of,
    seal_address,
    send_code,
)
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "message-address"


@dataclass(frozen=True, slots=True)
class MessageAddressService:
    """What owners do with the addresses that codes and notices go to."""

    means: Means

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that something is carried over here."""
        return tuple(carrier.channel for carrier in self.means.carriers)

    def list_addresses(self, actor: Actor) -> Sequence[MaskedAddress]:
        """Return the caller's confirmed addresses, masked."""
        means, account_id = self.means, owner_of(actor)
        read = means.parts.transactions.read
        held = read(lambda tx: means.stores.message_addresses.of_account(tx, account_id))
        return [
            MaskedAddress(each.channel, mask_of(means, each), each.created_at, each.last_used_at)
            for each in held
        ]

    def ask_address(self, actor: Actor, wish: NewAddress) -> AskedAddress:
        """Send a code to a new address; it counts once the code came back.

        Raises ``StepUpRequired``, ``AddressInvalid``, ``ChannelOff``, ``TooManyMessages`` or
        ``MessageNotSent``.
        """
        means = self.means
        require_fresh(means, actor)
        channel = channel_named(wish.channel)
        carrier_for(means, channel)
        to = normal_address(channel, wish.text, means.options.message_prefixes)
        attempt = means.random(16)
        code = SentCode(
            attempt=attempt,
            org_id=actor.org_id,
            account_id=actor.id,
            purpose="confirm",
            channel=channel,
            digest=b"",
            expires_at=means.now + CODE_LIFETIME,
            sealed_address=seal_address(means, actor.id, channel, to),
        )
        send_code(means, Dispatch(code, to, actor, wish.address, wish.language))
        content = {"account": actor.id, "attempt": attempt.hex()}
        reference = write_reference(means, _PURPOSE, content, CODE_LIFETIME)
        return AskedAddress(channel, masked_address(channel, to), reference)

    def confirm_address(
        self, actor: Actor, reference: str, code: str, remote: str = ""
    ) -> MaskedAddress:
        """Put the address into force; raise ``SignInRefused`` for any code but its own.

        Wrong codes and references are recorded, and count as wrong factors do.
        """
        means = self.means
        require_fresh(means, actor)
        attempt, keys = self._asked(actor, reference), guess_keys(means, actor.name, remote)
        digest = code_digest(means, attempt, actor.id, code) if attempt and is_code(code) else b""

        def work(tx: Transaction) -> MessageAddress | None:
            target = f"account:{actor.id}"
            addresses = means.stores.message_addresses
            tried = not factor_refused(means, tx, keys)
            found = addresses.consume(tx, attempt, digest) if tried and digest else None
            if found is None or found.sealed_address is None:
                if tried:
                    count_factor_failure(means, tx, keys)
                tx.record(Act("iam.confirm_address", actor, target, "refused"))
                return None
            made = MessageAddress(
                account_id=actor.id,
                channel=found.channel,
                org_id=actor.org_id,
                sealed_address=found.sealed_address,
                created_at=tx.now,
            )
            self._tell(tx, actor, addresses.of_account(tx, actor.id))
            addresses.remove(tx, actor.id, made.channel)  # and what is on its way to the old one
            addresses.put(tx, made)
            tx.record(Act("iam.confirm_address", actor, target, details={"channel": made.channel}))
            return made

        made = means.parts.transactions.run(work)
        if made is None:
            raise SignInRefused
        return MaskedAddress(made.channel, mask_of(means, made), made.created_at)

    def _asked(self, actor: Actor, reference: str) -> bytes:
        """Return which code ``reference`` waits for; empty if it is not the caller's."""
        try:
            content = read_reference(self.means, _PURPOSE, reference)
        except TokenRefused:
            return b""
        return bytes.fromhex(content["attempt"]) if content["account"] == actor.id else b""

    def remove_address(self, actor: Actor, channel: str) -> None:
        """Take one of the caller's addresses away; raise ``NotFound`` if there is none."""
        means = self.means
        require_fresh(means, actor)
        named = channel_named(channel)

        def work(tx: Transaction) -> None:
            held = means.stores.message_addresses.of_account(tx, actor.id)
            self._tell(tx, actor, [each for each in held if each.channel == named])
            if not means.stores.message_addresses.remove(tx, actor.id, named):
                msg = "you have no address for this channel"
                raise NotFound(msg)
            details = {"channel": named}
            tx.record(Act("iam.remove_address", actor, f"account:{actor.id}", details=details))

        means.parts.transactions.run(work)

    def _tell(self, tx: Transaction, actor: Actor, addresses: Sequence[MessageAddress]) -> None:
        """Tell what goes away, and all others of a new one: it may be a thief's doing."""
        cause = Cause(ADDRESS_CHANGED, self.means.parts.ids.new("adr"), tx.now)
        notify_owner(self.means, tx, actor.id, cause, addresses)
