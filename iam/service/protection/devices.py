"""Devices: registered by their owner with a key of their own, which then speaks for them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.device_statement import Purpose, Statement, read_statement
from iam.errors import TokenRefused
from iam.errors.zero_trust import DeviceRefused
from iam.models.zero_trust import Device
from iam.service.means import Means
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import end_one
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Conflict, Invalid, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import DEVICE_READ, DEVICE_REVOKE
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

CHALLENGE_LIFETIME: Final = 10 * MINUTE
MOST_DEVICES: Final = 10
MOST_NAME: Final = 80
_PURPOSE: Final = "device"


@dataclass(frozen=True, slots=True)
class DeviceService:
    """What can be done with devices."""

    means: Means

    def challenge(self, actor: Actor) -> str:
        """Return what the device signs, good once and for ten minutes, in this session only."""
        content = {
            "account": actor.id,
            "session": actor.session_id,
            "nonce": self.means.random(16).hex(),
        }
        return write_reference(self.means, _PURPOSE, content, CHALLENGE_LIFETIME)

    def register_device(self, actor: Actor, name: str, statement: str) -> Device:
        """Register the caller's device and bind it to this session.

        Raises ``DeviceRefused``, ``DeviceKnown``, ``Conflict`` beyond ten devices.
        """
        means = self.means
        if actor.kind != "account":
            msg = "devices belong to accounts"
            raise Invalid(msg)
        if not name.strip() or len(name) > MOST_NAME:
            msg = f"a device has a name of at most {MOST_NAME} characters"
            raise Invalid(msg)
        read, nonce = self._answer(actor, statement, "register")
        device = Device(
            id=means.parts.ids.new("dev"),
            org_id=actor.org_id,
            account_id=actor.id,
            name=name.strip(),
            algorithm=read.algorithm,
            thumbprint=read.thumbprint,
            public_der=read.public_der,
            state="active",
            created_at=means.now,
            posture=read.posture,
            reported_at=means.now,
        )

        def work(tx: Transaction) -> None:
            self._use(tx, nonce)
            mine = means.stores.registered_devices.of_account(tx, actor.id)
            if len([one for one in mine if one.state == "active"]) >= MOST_DEVICES:
                msg = f"an account has at most {MOST_DEVICES} devices; revoke one first"
                raise Conflict(msg)
            means.stores.registered_devices.add(tx, device)
            self._bind(tx, actor, device)
            details = {"algorithm": device.algorithm, "key": device.thumbprint}
            tx.record(Act("iam.register_device", actor, f"device:{device.id}", details=details))

        means.parts.transactions.run(work)
        return device

    def prove_device(self, actor: Actor, statement: str) -> Device:
        """Bind this session to a registered device of the caller's, and take its report."""
        means = self.means
        read, nonce = self._answer(actor, statement, "prove")

        def work(tx: Transaction) -> Device:
            self._use(tx, nonce)
            device = means.stores.registered_devices.of_key(tx, read.thumbprint)
            if device is None or device.account_id != actor.id:
                msg = "the key is not of a registered device of yours"
                raise DeviceRefused(msg)
            means.stores.registered_devices.report(tx, device.id, read.posture)
            self._bind(tx, actor, device)
            tx.record(Act("iam.prove_device", actor, f"device:{device.id}"))
            return device

        return means.parts.transactions.run(work)

    def report_posture(self, statement: str) -> str:
        """Take a report that the device's own key signed; return the device's id.

        A report is used once: the next must be later by the device's clock.
        """
        means = self.means
        read = read_statement(statement, means.options.issuer, means.now)
        if read.purpose != "report":
            msg = "this statement is no report"
            raise DeviceRefused(msg)

        def work(tx: Transaction) -> str:
            device = means.stores.registered_devices.of_key(tx, read.thumbprint)
            if device is None or means.parts.revocations.is_revoked("device", device.id):
                msg = "the key is not of a registered device"
                raise DeviceRefused(msg)
            if not means.stores.registered_devices.report(tx, device.id, read.posture):
                msg = "a report at least as new is known"
                raise DeviceRefused(msg)
            return device.id

        return means.parts.transactions.run(work)

    def own_devices(self, actor: Actor) -> Sequence[Device]:
        """Return the caller's devices."""
        stores, read = self.means.stores, self.means.parts.transactions.read
        return read(lambda tx: stores.registered_devices.of_account(tx, actor.id))

    def revoke_own(self, actor: Actor, device_id: str) -> None:
        """Revoke a device of the caller's; raise ``NotFound`` for another's."""
        found = [one for one in self.own_devices(actor) if one.id == device_id]
        if not found or found[0].state != "active":
            msg = "you have no such device"
            raise NotFound(msg)
        self._revoke(actor, found[0], "revoked by its owner")

    def list_devices(self, actor: Actor, request: PageRequest) -> Page[Device]:
        """Return the organisation's devices."""
        self.means.parts.access.require(actor, DEVICE_READ, "device:*")
        stores, read = self.means.stores, self.means.parts.transactions.read
        return read(lambda tx: stores.registered_devices.page(tx, actor.org_id, request))

    def revoke_device(self, actor: Actor, device_id: str, reason: str) -> None:
        """Revoke any device of the organisation; its sessions end."""
        means = self.means
        means.parts.access.require(actor, DEVICE_REVOKE, f"device:{device_id}")
        read = means.parts.transactions.read
        device = read(lambda tx: means.stores.registered_devices.get(tx, device_id))
        if device is None or actor.org_id not in (device.org_id, ROOT_ORG):
            msg = "there is no such device"
            raise NotFound(msg)
        self._revoke(actor, device, reason)

    def _revoke(self, actor: Actor, device: Device, reason: str) -> None:
        """End the device and the sessions it proved itself in; never refused."""
        means = self.means

        def work(tx: Transaction) -> None:
            means.stores.registered_devices.revoke(tx, device.id)
            for session_id in means.stores.registered_devices.sessions_of(tx, device.id):
                session = means.stores.sessions.get(tx, session_id)
                if session is not None:
                    end_one(means, tx, session, reason)

        act = Act(
            "iam.revoke_device", actor, f"device:{device.id}", details={"reason": reason[:500]}
        )
        means.parts.transactions.restrict(work, Restriction("device", device.id, act))

    def _answer(self, actor: Actor, statement: str, purpose: Purpose) -> tuple[Statement, bytes]:
        """Return a statement that answers a challenge of this very session, and its nonce."""
        means = self.means
        read = read_statement(statement, means.options.issuer, means.now)
        if read.purpose != purpose:
            msg = f"this statement is not to {purpose}"
            raise DeviceRefused(msg)
        try:
            content = read_reference(means, _PURPOSE, read.challenge)
        except TokenRefused as error:
            msg = "the challenge is not one of ours, or too old"
            raise DeviceRefused(msg) from error
        if (content["account"], content["session"]) != (actor.id, actor.session_id):
            msg = "the challenge was given to another session"
            raise DeviceRefused(msg)
        return read, hashlib.sha256(read.challenge.encode()).digest()

    def _use(self, tx: Transaction, nonce: bytes) -> None:
        until = tx.now + CHALLENGE_LIFETIME
        if not self.means.stores.grants.use_once(tx, "device", nonce, until):
            msg = "the challenge was used before"
            raise DeviceRefused(msg)

    def _bind(self, tx: Transaction, actor: Actor, device: Device) -> None:
        if actor.session_id is not None:
            self.means.stores.registered_devices.bind_session(tx, actor.session_id, device.id)
