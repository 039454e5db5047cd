"""E-certificates (电子证照): licences as sealed files. Nothing here is an X.509 certificate.

Times are UTC microseconds, lengths millimetres, digests SM3 in lower-case hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from secops.kernel.catalogue import Text

FileFormat = Literal["ofd", "pdf"]
FieldKind = Literal["text", "date", "number", "choice"]
Showing = Literal["shown", "masked", "hidden"]
Align = Literal["left", "center"]
TemplateState = Literal["proposed", "active", "rejected", "retired"]
ECertificateState = Literal["valid", "suspended", "revoked", "superseded"]
StandingState = Literal["valid", "suspended", "revoked", "superseded", "expired", "not_yet_valid"]
RowState = Literal["waiting", "issued", "failed"]

FILE_FORMATS: Final[tuple[FileFormat, ...]] = ("ofd", "pdf")
FIELD_KINDS: Final[tuple[FieldKind, ...]] = ("text", "date", "number", "choice")
SHOWINGS: Final[tuple[Showing, ...]] = ("shown", "masked", "hidden")
ALIGNS: Final[tuple[Align, ...]] = ("left", "center")
BUILT_IN: Final = ("@title", "@number", "@identifier", "@authority", "@issued_on", "@valid")
"""What a layout may show beside the template's own fields."""

NOT_ENDED: Final[tuple[ECertificateState, ...]] = ("valid", "suspended")
"""States out of which one is revoked or replaced."""

DOCUMENT_CLASS: Final = "电子证照"
"""The class of documents that a seal's use policy sees."""


@dataclass(frozen=True, slots=True)
class TemplateField:
    """One datum of a licence. ``public`` says what the verification page shows of it."""

    name: str
    title: str
    kind: FieldKind = "text"
    required: bool = True
    max_length: int = 100
    choices: tuple[str, ...] = ()
    public: Showing = "hidden"


@dataclass(frozen=True, slots=True)
class LayoutItem:
    """A text on the page: fixed, or of a ``field`` (or one of ``BUILT_IN``) behind it.

    ``x`` and ``y`` are the upper left corner, ``size`` the height of a line's characters; what
    is longer than ``width`` goes on below, at most ``lines`` lines.
    """

    x: float
    y: float
    width: float
    size: float
    text: str = ""
    field: str = ""
    align: Align = "left"
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """One page. ``frame`` is the margin of the line around it, 0 for none."""

    width: float
    height: float
    items: tuple[LayoutItem, ...]
    qr_x: float
    qr_y: float
    qr_size: float
    seal_x: float
    seal_y: float
    frame: float = 0.0


@dataclass(frozen=True, slots=True)
class TemplateWish:
    """What is proposed: a type of licence, its data, its page and the seal that goes on it.

    ``type_code`` is 证照类型代码 and ``authority_code`` a unified social credit code
    (GB/T 36904-2018). ``validity_days`` None is for good (长期). ``ofd`` is the format of
    GB/T 36905-2018; ``pdf`` carries its font within.
    """

    type_code: str
    name: str
    authority: str
    authority_code: str
    number_prefix: str
    fields: tuple[TemplateField, ...]
    holder_field: str
    seal_id: str
    validity_days: int | None = None
    layout: Layout | None = None
    format: FileFormat = "ofd"


@dataclass(frozen=True, slots=True)
class ECertificateTemplate:
    """A version of a template (证照模板); it issues only while ``active``."""

    id: str
    org_id: str
    version: int
    wish: TemplateWish
    state: TemplateState
    created_by: str
    created_at: int
    approval_id: str
    subject_hash: str
    state_reason: str = ""
    state_at: int | None = None

    @property
    def layout(self) -> Layout:
        """The page; a template is stored with one."""
        if self.wish.layout is None:
            msg = "a stored template has a layout"
            raise ValueError(msg)
        return self.wish.layout


@dataclass(frozen=True, slots=True)
class ECertificate:
    """An issued e-certificate; the holder's data are in ``sealed``, under a key of the pool.

    ``digest`` is of the sealed file, ``blob`` the name of its encrypted form.
    """

    id: str
    org_id: str
    template_id: str
    type_code: str
    authority_code: str
    type_name: str
    authority: str
    number: str
    serial: str
    version: int
    identifier: str
    holder_masked: str
    sealed: bytes
    token_hash: str
    valid_from: int
    valid_until: int | None
    issued_at: int
    issued_by: str
    digest: str
    blob: str
    seal_id: str
    use_id: str
    state: ECertificateState = "valid"
    state_reason: str = ""
    state_at: int | None = None
    replaces: str | None = None
    batch_id: str | None = None

    def standing(self, now: int) -> StandingState:
        """Return what the e-certificate is worth at ``now``."""
        if self.state != "valid":
            return self.state
        if now < self.valid_from:
            return "not_yet_valid"
        return "expired" if self.valid_until is not None and now > self.valid_until else "valid"


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What to issue. Without ``number`` the next of the type and authority is taken.

    ``replaces`` is the e-certificate that the new one takes the place of (换发).
    """

    template_id: str
    values: Mapping[str, str]
    number: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row can't be issued: ``row`` counts from 1, ``field`` is empty for the whole row."""

    row: int
    field: str
    why: Text


@dataclass(frozen=True, slots=True)
class BatchCheck:
    """The dry run of a batch: nothing was stored."""

    total: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """An order to issue many. ``ordered`` is who gave it, as they stood then (JSON)."""

    id: str
    org_id: str
    template_id: str
    name: str
    ordered: str
    ordered_by: str
    ordered_at: int
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row: issued at most once, whoever tries how often.

    ``use_id`` is the entry of the seal's usage ledger, kept with the e-certificate.
    """

    batch_id: str
    n: int
    org_id: str
    sealed: bytes
    serial: str
    number: str
    holder_masked: str
    state: RowState = "waiting"
    certificate_id: str | None = None
    error: str = ""
    use_id: str | None = None


@dataclass(frozen=True, slots=True)
class PublicView:
    """What anybody with the link may see."""

    type_name: str
    authority: str
    authority_code: str
    number: str
    identifier: str
    state: StandingState
    valid_from: int
    valid_until: int | None
    issued_at: int
    digest: str
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DrawnText:
    """A line of text; ``x``, ``y`` its upper left corner, ``advances`` from each letter to next."""

    x: float
    y: float
    size: float
    text: str
    advances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One page to be rendered: texts, filled rectangles and stroked ones (x, y, width, height)."""

    width: float
    height: float
    texts: tuple[DrawnText, ...]
    filled: tuple[tuple[float, float, float, float], ...] = ()
    framed: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What the file says of itself outside its page: no holder's data."""

    document_id: str
    title: str
    author: str
    created_at: int
    custom: Mapping[str, Any]
