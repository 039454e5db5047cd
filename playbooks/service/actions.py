"""The actions this release can run. Each looks first, acts once, and reads back.

To add one, see docs/manual/add_a_playbook_action.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playbooks.core.webhooks import build_message, refusal
from playbooks.errors import ChannelUnknown, EffectUnknown, NotificationFailed
from playbooks.models import Channel, Notification, PlannedStep, TargetState
from playbooks.ports import AccountState, Order
from playbooks.service.surroundings import Surroundings
from secops.kernel.errors import Invalid, NotFound, SecopsError, Unavailable

Recovery = Literal["idempotent", "readable", "neither"]
"""What may be done after a crash between call and outcome: repeat, read back, ask."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the step, its target, and on whose authority."""

    step: PlannedStep
    target: TargetState
    order: Order


@dataclass(frozen=True, slots=True)
class Performed:
    """What came out. ``verified`` tells that the effect was read back.

    ``outputs`` go into the variables that the step's out_args name, and nowhere else.
    """

    verified: bool
    details: Mapping[str, str | int] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


class Action(Protocol):
    """One action of the profile."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the targets as they are now; changes nothing."""
        ...

    def recovery(self, step: PlannedStep) -> Recovery:
        """Return what may be done when the outcome of a call was lost."""
        ...

    def perform(self, call: Call) -> Performed:
        """Act once for ``call.order.key``; raise ``SecopsError``, ``EffectUnknown`` if lost."""
        ...

    def holds(self, call: Call) -> bool:
        """Read back whether the effect is there."""
        ...


class _AccountAction:
    """What session.revoke and account.lock share: the target is an account."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def _account(self, org_id: str, name: str) -> AccountState:
        account = self._s.ports.containment.account_state(org_id, name)
        if account is None:
            msg = f"no account {name[:80]}"
            raise NotFound(msg)
        return account

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: ending what is ended, or locking what is locked, changes nothing."""
        del step
        return "idempotent"

    @staticmethod
    def _id(call: Call) -> str:
        return call.target.target.removeprefix("account:")


class RevokeSessions(_AccountAction):
    """session.revoke: every live session of an account ends."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the account and its sessions.

        The approval is bound to the account, not to its sessions: an attacker who signs
        in once more must not void it.
        """
        account = self._account(org_id, args["account"])
        count = len(self._s.ports.containment.sessions_of(account.id))
        return (
            TargetState(
                target=f"account:{account.id}",
                label=f"{account.name} ({count})",
                version="any",
                before="live sessions",
                after="no live session",
                protected=account.protected,
            ),
        )

    def perform(self, call: Call) -> Performed:
        """End the sessions and look whether those that were there are gone."""
        containment = self._s.ports.containment
        before = frozenset(containment.sessions_of(self._id(call)))
        count = containment.revoke_sessions(self._id(call), call.order)
        left = before & frozenset(containment.sessions_of(self._id(call)))
        return Performed(not left, {"revoked": count})

    def holds(self, call: Call) -> bool:
        """Tell whether the account has no live session."""
        return not self._s.ports.containment.sessions_of(self._id(call))


class LockAccount(_AccountAction):
    """account.lock: nobody signs in with the account until it is unlocked."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the account and whether it is locked."""
        account = self._account(org_id, args["account"])
        return (
            TargetState(
                target=f"account:{account.id}",
                label=account.name,
                version=account.state,
                before=account.state,
                after="locked",
                protected=account.protected,
            ),
        )

    def perform(self, call: Call) -> Performed:
        """Lock it and read it back."""
        self._s.ports.containment.lock_account(self._id(call), call.order)
        return Performed(self.holds(call))

    def holds(self, call: Call) -> bool:
        """Tell whether it is locked."""
        account = self._s.ports.containment.account_state(call.order.org_id, self._id(call))
        return account is not None and account.locked


class SendNotification:
    """notify.send: a message to a group's robot, a webhook, or the product's own inbox."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def _channel(self, name: str) -> tuple[str, Channel]:
        options = self._s.options
        wanted = options.default_channel if name == "default" else name
        if wanted == "inbox":
            return wanted, Channel("inbox")
        if wanted not in options.channels:
            msg = f"no channel {wanted[:60]}"
            raise ChannelUnknown(msg)
        return wanted, options.channels[wanted]

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the channel; never its address, which is a secret."""
        del org_id
        name, channel = self._channel(args["channel"])
        return (
            TargetState(
                target=f"channel:{name}",
                label=name,
                version=channel.kind,
                before="",
                after=args["title"],
            ),
        )

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat in the inbox, which takes a key once; robots can't be asked what they got."""
        _, channel = self._channel(step.args["channel"])
        return "idempotent" if channel.kind == "inbox" else "neither"

    def perform(self, call: Call) -> Performed:
        """Send, then keep what was sent; the receiver's own answer is the read-back."""
        args = call.step.args
        name, channel = self._channel(args["channel"])
        if channel.kind != "inbox":
            self._post(channel, call)
        self._keep(call, name, channel)
        return Performed(verified=True, details={"channel": name, "kind": channel.kind})

    def holds(self, call: Call) -> bool:
        """Return False: a robot can't be read."""
        del call
        return False

    def _post(self, channel: Channel, call: Call) -> None:
        args, order = call.step.args, call.order
        now = self._s.parts.clock.now()
        message = build_message(
            channel, title=args["title"], text=args["text"], key=order.key, now=now
        )
        timeout = call.step.timeout_ms / 1_000
        try:
            status, body = self._s.ports.outbound.post(
                message.url, message.body, dict(message.headers), timeout=timeout
            )
        except (Unavailable, Invalid):
            raise  # nothing was sent
        except SecopsError as error:
            raise EffectUnknown(error.code) from error
        problem = refusal(channel, status, body)
        if problem:
            raise NotificationFailed(problem)

    def _keep(self, call: Call, name: str, channel: Channel) -> None:
        order, args = call.order, call.step.args
        notification = Notification(
            id=self._s.parts.ids.new("ntf"),
            org_id=order.org_id,
            incident_id=order.incident_id,
            channel=name,
            kind=channel.kind,
            title=args["title"][:200],
            text=args["text"][:4_000],
            key=order.key,
            at=self._s.parts.clock.now(),
        )
        self._s.parts.transactions.run(lambda tx: self._s.stores.runs.notify(tx, notification))


def make_actions(surroundings: Surroundings) -> Mapping[str, Action]:
    """Return the actions by name."""
    return {
        "session.revoke": RevokeSessions(surroundings),
        "account.lock": LockAccount(surroundings),
        "notify.send": SendNotification(surroundings),
    }
