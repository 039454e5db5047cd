"""An opened home: its spine and its five planes, as commands and processes see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from audits.service import AuditsServices
from detectors.service import DetectorsServices
from iam.service import IamServices
from kms.service import KmsServices
from playbooks.service import PlaybooksServices
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound, SecopsError, Unauthenticated
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.settings import Settings, access_token
from secops.web.routes import Plane

LOGIN_FILE = "login"


@dataclass(frozen=True, slots=True, repr=False)
class House:
    """Everything one process holds of a home. ``close`` drains its doors."""

    settings: Settings
    spine: Spine
    planes: tuple[Plane, ...]
    iam: IamServices
    kms: KmsServices
    detectors: DetectorsServices
    playbooks: PlaybooksServices
    audits: AuditsServices
    _closed: list[bool] = field(default_factory=list)

    @property
    def parts(self) -> Parts:
        """The spine's parts."""
        return self.spine.parts

    @property
    def services(self) -> Sequence[object]:
        """The ``Services`` of each plane."""
        return [plane.services for plane in self.planes]

    def act_as(self, account: str | None) -> Actor:
        """Return who acts: ``--as`` in demo homes, ``$SECOPS_TOKEN``, or ``secops login``."""
        if account:
            try:
                return self.iam.actors.by_account(account)
            except NotFound as error:
                raise Unauthenticated(f"there is no account {account!r} to act as") from error
        saved = self.settings.home / LOGIN_FILE
        token = access_token() or (saved.read_text().strip() if saved.is_file() else "")
        if not token:
            raise Unauthenticated("nobody is signed in: use `secops login`, or --as in a demo home")
        return self.iam.actors.by_token(token)

    def note_refusal(self, actor: Actor, error: SecopsError, command: str) -> None:
        """Record that ``actor`` was refused a command."""
        act = Act(
            f"cli.{command}", actor, f"command:{command}", "refused", details={"code": error.code}
        )
        self.parts.trail.append([act])

    def close(self) -> None:
        """Drain this process's doors into the ledger and let go of everything, once."""
        if self._closed:
            return
        self._closed.append(True)
        self.iam.decisions.record.close()
        self.iam.rates.close()
        self.spine.journal.close()
        self.detectors.logs.close()
        self.audits.ledger.sequencer.drain()
        self.audits.ledger.files.close()
        self.spine.close()
