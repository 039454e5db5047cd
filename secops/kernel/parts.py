"""What every plane is given at installation: the spine, made of kernel words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from secops.kernel.access import AccessControl
from secops.kernel.approvals import Approvals
from secops.kernel.blobs import Blobs
from secops.kernel.clock import Clock
from secops.kernel.ids import Ids, Randomness
from secops.kernel.jobs import Tasks
from secops.kernel.leases import Leases
from secops.kernel.revocations import Revocations
from secops.kernel.trail import Trail
from secops.kernel.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Parts:
    """The spine. ``home`` is the folder under which everything is written."""

    home: Path
    clock: Clock
    randomness: Randomness
    ids: Ids
    transactions: Transactions
    trail: Trail
    access: AccessControl
    revocations: Revocations
    leases: Leases
    tasks: Tasks
    approvals: Approvals
    blobs: Blobs
