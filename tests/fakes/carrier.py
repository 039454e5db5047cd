"""Carries messages into a list; ``trouble`` is raised instead."""

from __future__ import annotations

from dataclasses import dataclass, field

from iam.errors import MessageNotSent
from iam.models.messages import CarriedMessage, Channel


@dataclass
class FakeCarrier:
    """Remembers what was handed over."""

    channel: Channel = "sms"
    trouble: str = ""
    sent: list[CarriedMessage] = field(default_factory=list)

    def carry(self, message: CarriedMessage) -> None:
        if self.trouble:
            raise MessageNotSent(self.trouble)
        self.sent.append(message)

    @property
    def code(self) -> str:
        """The code of the last message."""
        return str(self.sent[-1].parameters["code"])
