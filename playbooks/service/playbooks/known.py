"""The playbooks that may be run: found by name, verified, with all that they nest."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.errors.signatures import PlaybookUnsigned
from playbooks.models import CheckedPlaybook, StoredPlaybook
from playbooks.service.playbooks.checking import require_playbook
from playbooks.service.playbooks.nesting import nested_in
from playbooks.service.playbooks.trust import Trust
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import PLAYBOOK_READ


class KnownPlaybooks:
    """What the release and the register hold, for whoever runs them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._trust = Trust(surroundings)
        self._packaged: Mapping[str, CheckedPlaybook] = {}

    def packaged(self) -> Mapping[str, CheckedPlaybook]:
        """Return the playbooks of the release by name."""
        if not self._packaged:  # data of the release: checked once in a process
            texts = self._s.library.playbooks()
            self._packaged = {name: require_playbook(text) for name, text in texts.items()}
        return self._packaged

    def find(self, actor: Actor, name: str) -> CheckedPlaybook:
        """Return a playbook by packaged name, CACAO id (its newest version) or content hash."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{name[:80]}")
        packaged = self.packaged()
        if name in packaged:
            return packaged[name]
        newest = self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.newest(tx, actor.org_id, name)
        )
        if newest is not None:
            return self._trust.checked(newest)
        for playbook in packaged.values():
            if playbook.id == name:
                return playbook
        return self.content(actor.org_id, name)

    def content(self, org_id: str, content_hash: str) -> CheckedPlaybook:
        """Return the registered playbook with this content; raise ``PlaybookNotFound``."""
        return self._trust.checked(self._get(org_id, content_hash))

    def is_trusted(self, org_id: str, playbook: CheckedPlaybook) -> bool:
        """Tell whether a signature vouches for exactly this content, verified now.

        Raises why none does: ``PlaybookRevoked``, ``PlaybookNotInForce``,
        ``SignatureInvalid``, and ``PlaybookUnsigned``, instead of which False is returned
        where the settings let drafts run.
        """
        try:
            self._trust.require(org_id, playbook)
        except PlaybookUnsigned:
            if self._s.options.unsigned_playbooks == "refused":
                raise
            return False
        return True

    def nested(self, org_id: str, playbook: CheckedPlaybook) -> Mapping[str, CheckedPlaybook]:
        """Return every playbook that ``playbook`` nests, by id: signed ones, verified now."""

        def look_up(playbook_id: str) -> CheckedPlaybook | None:
            newest = self._s.parts.transactions.read(
                lambda tx: self._s.stores.playbooks.newest(tx, org_id, playbook_id)
            )
            if newest is not None:
                found = self._trust.checked(newest)
            else:
                release = {one.id: one for one in self.packaged().values()}
                if playbook_id not in release:
                    return None
                found = release[playbook_id]
            self.is_trusted(org_id, found)
            return found

        return nested_in(playbook, look_up)

    def _get(self, org_id: str, content_hash: str) -> StoredPlaybook:
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.get(tx, org_id, content_hash)
        )
