"""Templates (证照模板): proposed by one, approved by another, one version in force a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from kms.core.ecertificates.pages import draw_page
from kms.core.ecertificates.refusals import ECertificateError, refuse
from kms.core.ecertificates.templates import read_template
from kms.errors.ecertificates import ECertificateRejected, ECertificateStateConflict
from kms.errors.seals import SealNotFound
from kms.models.ecertificates import ECertificateTemplate, Layout, TemplateState, TemplateWish
from kms.models.seal_registry import SHAPES
from kms.service.ecertificates.parts import ECertificateParts
from kms.service.reasons import check_reason
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import (
    ECERTIFICATE_APPROVE,
    ECERTIFICATE_PROPOSE,
    ECERTIFICATE_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_APPROVAL_KIND: Final = "ecertificate_template"
_APPROVAL_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class TemplateDetails:
    """A template, its approval, and what of the version in force it would change.

    ``changes`` are (what, before, after) as texts; all of a type's first version is new.
    """

    template: ECertificateTemplate
    approval: Approval
    changes: Sequence[tuple[str, str, str]]


class ECertificateTemplates:
    """Proposes, decides, retires and shows templates."""

    def __init__(self, here: ECertificateParts) -> None:
        self._here = here
        self._parts = here.parts

    def propose_ecertificate_template(
        self, actor: Actor, record: Mapping[str, Any]
    ) -> ECertificateTemplate:
        """Store what ``record`` describes and ask for its approval.

        Raises ``ECertificateRejected``, ``SealNotFound``.
        """
        self._parts.access.require(actor, ECERTIFICATE_PROPOSE, "ecertificate_template:new")
        wish = _read(record)
        template_id = self._parts.ids.new("ect")
        approval_id = self._parts.ids.new("apr")

        def store(transaction: Transaction) -> ECertificateTemplate:
            self._require_seal(transaction, actor, wish)
            version = self._here.templates.last_version(transaction, actor.org_id, wish.type_code)
            template = ECertificateTemplate(
                id=template_id,
                org_id=actor.org_id,
                version=version + 1,
                wish=wish,
                state="proposed",
                created_by=actor.id,
                created_at=transaction.now,
                approval_id=approval_id,
                subject_hash=_hash(actor.org_id, version + 1, wish),
            )
            self._here.templates.insert_template(transaction, template)
            self._parts.approvals.request(transaction, _approval(template))
            transaction.record(
                _act("propose", actor, template, {"template_sha256": template.subject_hash})
            )
            return template

        return self._parts.transactions.run(store)

    def decide_ecertificate_template(
        self, actor: Actor, template_id: str, *, grant: bool, reason: str
    ) -> ECertificateTemplate:
        """Approve or reject; the version in force before is retired in the same unit of work.

        Raises ``SelfApproval``, ``NotPending``, ``ECertificateStateConflict``.
        """
        self._parts.access.require(actor, ECERTIFICATE_APPROVE, _target(template_id))
        check_reason(reason)

        def decide(transaction: Transaction) -> ECertificateTemplate:
            here = self._here
            template = here.load_template(transaction, actor.org_id, template_id)
            here.parts.approvals.decide(
                transaction, template.approval_id, actor, grant=grant, reason=reason
            )
            if grant:
                self._retire_older(transaction, template)
                # of the template as it lies there now, so that the approved one is in force
                found = _hash(template.org_id, template.version, template.wish)
                self._parts.approvals.use(transaction, template.approval_id, found)
            after: TemplateState = "active" if grant else "rejected"
            changed = here.templates.change_template(
                transaction, template.id, before="proposed", after=after, reason=reason
            )
            if not changed:
                raise ECertificateStateConflict("the template was decided before")
            details = {"template_sha256": template.subject_hash, "grant": grant}
            transaction.record(_act("decide", actor, template, details))
            return here.load_template(transaction, actor.org_id, template_id)

        return self._parts.transactions.run(decide)

    def retire_ecertificate_template(self, actor: Actor, template_id: str, reason: str) -> None:
        """Let nothing more be issued by it; what was issued stays as it is."""
        self._parts.access.require(actor, ECERTIFICATE_APPROVE, _target(template_id))
        check_reason(reason)

        def retire(transaction: Transaction) -> None:
            template = self._here.load_template(transaction, actor.org_id, template_id)
            retired = self._here.templates.change_template(
                transaction, template.id, before="active", after="retired", reason=reason
            )
            if not retired:
                msg = f"only an active template is retired; this one is {template.state}"
                raise ECertificateStateConflict(msg)
            transaction.record(_act("retire", actor, template, {"reason": reason}))

        self._parts.transactions.run(retire)

    def list_ecertificate_templates(
        self, actor: Actor, request: PageRequest
    ) -> Page[ECertificateTemplate]:
        """Return the templates of the actor's organisation, newest first."""
        self._parts.access.require(actor, ECERTIFICATE_READ, "ecertificate_template:*")

        def read(transaction: Transaction) -> Page[ECertificateTemplate]:
            rows = self._here.templates.templates(transaction, actor.org_id, request)
            return page_of(rows, request.limit, [(row.created_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_ecertificate_template(self, actor: Actor, template_id: str) -> TemplateDetails:
        """Return one template with its approval and what it changes."""
        self._parts.access.require(actor, ECERTIFICATE_READ, _target(template_id))

        def read(transaction: Transaction) -> TemplateDetails:
            template = self._here.load_template(transaction, actor.org_id, template_id)
            approval = self._parts.approvals.get(transaction, template.approval_id)
            active = self._here.templates.active(transaction, actor.org_id, template.wish.type_code)
            before = None if active is None or active.id == template.id else active.wish
            return TemplateDetails(template, approval, tuple(_changes(before, template.wish)))

        return self._parts.transactions.read(read)

    def _retire_older(self, transaction: Transaction, template: ECertificateTemplate) -> None:
        wish = template.wish
        older = self._here.templates.active(transaction, template.org_id, wish.type_code)
        if older is None:
            return
        if older.version > template.version:
            raise ECertificateStateConflict("a newer version is in force already")
        self._here.templates.change_template(
            transaction,
            older.id,
            before="active",
            after="retired",
            reason=f"v{template.version}",
        )

    def _require_seal(self, transaction: Transaction, actor: Actor, wish: TemplateWish) -> None:
        """Raise unless the seal is one of the organisation's and its picture is on the page."""
        found = self._here.seals.seal(transaction, actor.org_id, wish.seal_id)
        if found is None:
            msg = f"there is no seal {wish.seal_id[:60]!r}"
            raise SealNotFound(msg)
        width, height = SHAPES[found[0].shape]
        layout = _layout_of(wish)
        left = min(layout.seal_x, layout.seal_y)
        beyond = layout.seal_x + width > layout.width or layout.seal_y + height > layout.height
        if left < 0 or beyond:
            why = refuse("印章超出页面", "the seal is beyond the page").why
            raise ECertificateRejected.because(why)


def _layout_of(wish: TemplateWish) -> Layout:
    if wish.layout is None:
        why = refuse("缺少版面", "the layout is missing").why
        raise ECertificateRejected.because(why)
    return wish.layout


def _read(record: Mapping[str, Any]) -> TemplateWish:
    """Return the template, its own fixed texts tried on the page."""
    try:
        wish = read_template(record)
        draw_page(_layout_of(wish), {"@title": wish.name, "@authority": wish.authority})
    except ECertificateError as error:
        raise ECertificateRejected.because(error.why) from error
    return wish


def _hash(org_id: str, version: int, wish: TemplateWish) -> str:
    """Return what the approval is bound to: any other template needs another approval."""
    return sha256(canonical({"org": org_id, "version": version, "wish": _texts(wish)})).hex()


def _texts(wish: TemplateWish) -> dict[str, str]:
    """Return every datum of a template as text: floats have no canonical form of ours."""
    flat = {
        name: repr(value) if isinstance(value, int | float) else str(value)
        for name, value in asdict(wish).items()
        if name not in ("fields", "layout")
    }
    for field in wish.fields:
        flat[f"fields.{field.name}"] = _json(asdict(field))
    layout = _layout_of(wish)
    for number, item in enumerate(layout.items, 1):
        flat[f"layout.items.{number}"] = _json(asdict(item))
    page = {name: value for name, value in asdict(layout).items() if name != "items"}
    flat["layout"] = _json(page)
    return flat


def _json(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values).decode()


def _changes(before: TemplateWish | None, after: TemplateWish) -> list[tuple[str, str, str]]:
    old = {} if before is None else _texts(before)
    new = _texts(after)
    names = [*new, *(name for name in old if name not in new)]
    return [
        (name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def _target(template_id: str) -> str:
    return f"ecertificate_template:{template_id[:60]}"


def _act(verb: str, actor: Actor, template: ECertificateTemplate, details: Any) -> Act:
    more = {"version": template.version, "type_code": template.wish.type_code}
    action = f"kms.{verb}_ecertificate_template"
    return Act(action, actor, _target(template.id), details={**details, **more})


def _approval(template: ECertificateTemplate) -> Approval:
    return Approval(
        id=template.approval_id,
        org_id=template.org_id,
        kind=_APPROVAL_KIND,
        subject=_target(template.id),
        subject_hash=template.subject_hash,
        permission=ECERTIFICATE_APPROVE,
        requester_id=template.created_by,
        requested_at=template.created_at,
        expires_at=template.created_at + _APPROVAL_DAYS * DAY,
    )
