"""What the other planes keep of an account whose person is to be erased, for identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audits.service import AuditsServices
from iam.models.accounts import Account
from playbooks.service import PlaybooksServices
from secops.kernel.errors import Unavailable
from secops.kernel.transactions import Transaction


class LatePersonalCopies:
    """Implements ``iam.ports.PersonalCopies``; the planes are bound when they are there."""

    def __init__(self) -> None:
        self._planes: tuple[PlaybooksServices, AuditsServices] | None = None

    def bind(self, playbooks: PlaybooksServices, audits: AuditsServices) -> None:
        """Ask these from now on."""
        self._planes = (playbooks, audits)

    def bars(self, tx: Transaction, account: Account) -> Sequence[str]:
        """Return the open incidents and legal holds that name the account, as ``kind:id``."""
        playbooks, audits = self._installed
        naming = playbooks.traces.open_incidents(tx, account.id, account.name)
        holds = audits.traces.holds_naming(tx, account.id, account.name)
        return [*(f"incident:{each}" for each in naming), *(f"hold:{each}" for each in holds)]

    def erase(self, tx: Transaction, account: Account, pseudonym: str) -> Mapping[str, int]:
        """Put ``pseudonym`` where the planes keep the account's name; return rows by table."""
        playbooks, audits = self._installed
        return {
            **playbooks.traces.erase(tx, account.id, pseudonym),
            **audits.traces.erase(tx, account.id, account.name, pseudonym),
        }

    @property
    def _installed(self) -> tuple[PlaybooksServices, AuditsServices]:
        if self._planes is None:
            raise Unavailable("nobody can tell yet what else names the account")
        return self._planes
