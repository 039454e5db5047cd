"""What anomaly models are told, answer and are known by. Times are UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Answer = Literal["allow", "step_up", "unjudged", "passed"]
"""``passed`` is a step-up that was met; ``unjudged`` says that there was no usable model."""
ModelState = Literal["active", "retired"]

LOGIN_MODEL: Final = "login"
USE_MODEL: Final = "use"
MODEL_KINDS: Final = (LOGIN_MODEL, USE_MODEL)


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What is known of a sign-in whose factors were right.

    ``device`` is the keyed hash of a browser in which this account has signed in before, empty
    for another. ``failures`` are the wrong tries just before; ``last_at`` and ``last_address``
    are of the account's last sign-in, None and empty if there was none.
    """

    account: str
    peers: str
    at: int
    address: str
    user_agent: str
    device: str = ""
    failures: int = 0
    last_at: int | None = None
    last_address: str = ""
    factor: str = "otp"


@dataclass(frozen=True, slots=True)
class LoginFeatures:
    """A sign-in as a model sees it: no address, no name, only keyed hashes and classes.

    ``paths`` maps a feature to its value from coarse to fine (country, AS, network, address);
    ``hour`` is the local hour of the week, 0 (Monday 00:00) to 167.
    """

    account: str
    peers: str
    hour: int
    paths: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Weight:
    """One feature's part: natural logarithm of how much likelier others show this value.

    ``level`` is where most of it comes from, e.g. ``network``; ``known`` is how often this
    account has shown the value before.
    """

    feature: str
    level: str
    log_ratio: float
    known: float


@dataclass(frozen=True, slots=True)
class LoginAssessment:
    """``risk`` is the rank among earlier sign-ins, 0 to 1; ``answer`` is the advice.

    ``features`` are what is kept for later learning; ``note`` says why nothing was judged.
    """

    answer: Answer
    risk: float
    alert: bool
    model: str
    features: Mapping[str, str]
    weights: tuple[Weight, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A trained model: where it lies (``digest`` names the blob), who signed it, its card."""

    id: str
    org_id: str
    kind: str
    state: ModelState
    made_at: int
    digest: str
    signatures: Mapping[str, str]
    card: Mapping[str, Any] = field(default_factory=dict)
    drift: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person says of a sign-in: ``good`` may be learned from, ``bad`` never."""

    org_id: str
    session_id: str
    verdict: Literal["good", "bad"]
    by: str
    at: int
    reason: str = ""
