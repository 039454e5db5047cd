"""Takes mails into a list; ``error`` is raised instead."""

from __future__ import annotations

from dataclasses import dataclass, field

from playbooks.ports import OutgoingMail
from secops.kernel.errors import SecopsError


@dataclass
class FakeMailer:
    """Remembers what was handed over."""

    error: SecopsError | None = None
    sent: list[OutgoingMail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(mail)
