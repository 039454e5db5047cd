"""Issue an e-certificate: data checked, numbered, drawn, sealed, kept with its use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import segno

from kms.core.ecertificates.pages import draw_page
from kms.core.ecertificates.refusals import ECertificateError
from kms.core.ecertificates.values import check_values, chinese_date, clean_values, mask
from kms.core.gbt33190.drawing import draw_ofd
from kms.core.gbt36904.identifiers import identifier
from kms.errors.ecertificates import (
    ECertificateNumberTaken,
    ECertificateRejected,
    ECertificateStateConflict,
)
from kms.models.ecertificates import (
    DOCUMENT_CLASS,
    NOT_ENDED,
    BatchRow,
    DocumentFacts,
    ECertificate,
    ECertificateTemplate,
    IssueRequest,
    TemplateWish,
)
from kms.models.seal_registry import SealUse
from kms.models.stamps import Stamping, StampPlace, StampRequest
from kms.service.ecertificates.parts import ECertificateParts, token_hash
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, SECOND, day_start
from secops.kernel.errors import Conflict, Forbidden
from secops.kernel.permissions.kms import ECERTIFICATE_ISSUE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_NUMBER: Final = 60
_TOKEN_BYTES: Final = 16
"""Of a link's token: 128 bits, so that nobody finds one by trying."""
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Order:
    """One e-certificate to be issued; ``row`` is the batch's, ``replaced`` what it follows."""

    template: ECertificateTemplate
    values: Mapping[str, str]
    serial: str
    number: str
    row: BatchRow | None = None
    replaced: ECertificate | None = None

    @property
    def version(self) -> int:
        """1, or one more than that of what it replaces."""
        return 1 if self.replaced is None else self.replaced.version + 1


class ECertificateIssuing:
    """Issues e-certificates one at a time; batches use the same function for each row."""

    def __init__(self, here: ECertificateParts) -> None:
        self._here = here
        self._parts = here.parts

    def issue_ecertificate(self, actor: Actor, request: IssueRequest) -> ECertificate:
        """Return the new e-certificate; its file is sealed and stored.

        Raises ``ECertificateRejected``, ``ECertificateNumberTaken`` and what ``stamp_document``
        raises. A number whose sealing is refused is not given out again.
        """
        self._parts.access.require(
            actor, ECERTIFICATE_ISSUE, f"ecertificate_template:{request.template_id[:60]}"
        )
        values = clean_values(request.values)

        def look(transaction: Transaction) -> tuple[ECertificateTemplate, ECertificate | None]:
            template = self.active_template(transaction, actor, request.template_id)
            if not request.replaces:
                return template, None
            return template, self._replaceable(transaction, actor, template, request)

        template, replaced = self._parts.transactions.read(look)
        why = problems_of(template.wish, values, request.number)
        if why:
            raise ECertificateRejected.because(_joined(template.wish, why))
        if replaced is None:
            serial, number = self.take_numbers(actor, template, [request.number])[0]
        else:
            serial, number = replaced.serial, replaced.number
        return self.issue(actor, Order(template, values, serial, number, None, replaced))

    def take_numbers(
        self, actor: Actor, template: ECertificateTemplate, wanted: Sequence[str]
    ) -> list[tuple[str, str]]:
        """Return (serial, number) for each wanted number; those left empty follow the serial."""
        wish = template.wish
        year = chinese_date(self._parts.clock.now())[:4]

        def take(transaction: Transaction) -> int:
            codes = (wish.type_code, wish.authority_code)
            return self._here.templates.take_serials(transaction, actor.org_id, codes, len(wanted))

        first = self._parts.transactions.run(take)
        serials = [f"{year}{first + place:0{_DIGITS}d}" for place in range(len(wanted))]
        return [
            (serial, number or f"{wish.number_prefix}{serial}")
            for serial, number in zip(serials, wanted, strict=True)
        ]

    def active_template(
        self, transaction: Transaction, actor: Actor, template_id: str
    ) -> ECertificateTemplate:
        """Return the template; raise ``ECertificateStateConflict`` unless it is in force."""
        template = self._here.load_template(transaction, actor.org_id, template_id)
        if template.state != "active":
            msg = f"the template is {template.state}: only an active one issues"
            raise ECertificateStateConflict(msg)
        return template

    def issue(self, actor: Actor, order: Order) -> ECertificate:
        """Draw, seal and keep one; the use of the seal, the row and the record are one act."""
        here, wish = self._here, order.template.wish
        now = self._parts.clock.now() // SECOND * SECOND
        token = self._parts.randomness.bytes(_TOKEN_BYTES).hex()
        draft = self._draft(actor, order, now, token)
        layout = order.template.layout
        made = here.stamping.prepare_document(
            actor,
            wish.seal_id,
            StampRequest(
                self._drawn(order, draft, here.link(token)),
                Stamping((StampPlace(1, layout.seal_x, layout.seal_y),)),
                purpose=f"{DOCUMENT_CLASS} {draft.identifier}",
                document_class=DOCUMENT_CLASS,
            ),
        )
        # encrypted, since the page shows the holder's data
        encrypted = here.box.seal(made.document, f"file:{draft.id}".encode())
        issued = replace(
            draft, digest=sm3(made.document).hex(), blob=self._parts.blobs.put(encrypted)
        )
        try:
            return here.uses.enter(
                made.wanted,
                made.value,
                lambda use: replace(issued, use_id=use.id),
                beside=lambda transaction, use: self._keep(
                    transaction, actor, order, replace(issued, use_id=use.id), use
                ),
            )
        except (Forbidden, Conflict):
            # refused inside the unit of work, so nothing refers to it
            self._parts.blobs.drop(issued.blob)
            raise

    def _keep(
        self,
        transaction: Transaction,
        actor: Actor,
        order: Order,
        issued: ECertificate,
        use: SealUse,
    ) -> None:
        here = self._here
        # again, inside the unit of work: what was decided meanwhile wins
        self.active_template(transaction, actor, order.template.id)
        if order.row is not None and not here.batches.finish_row(
            transaction, order.row, certificate_id=issued.id
        ):
            raise ECertificateStateConflict("the row was issued before")
        if order.replaced is not None and not here.issued.change_ecertificate(
            transaction,
            order.replaced.id,
            before=NOT_ENDED,
            after="superseded",
            reason=issued.identifier,
        ):
            raise ECertificateStateConflict("what is replaced is valid no more")
        if not here.issued.insert_ecertificate(transaction, issued):
            raise ECertificateNumberTaken(f"{issued.number[:MAX_NUMBER]} is taken")
        details = {
            "file_sm3": issued.digest,
            "identifier": issued.identifier,
            "template": issued.template_id,
            "use": use.id,
            "replaces": issued.replaces,
            "batch": issued.batch_id,
        }
        target = f"ecertificate:{issued.id}"
        transaction.record(Act("kms.issue_ecertificate", actor, target, details=details))

    def _draft(self, actor: Actor, order: Order, now: int, token: str) -> ECertificate:
        """Return the record before it is drawn; digest, blob and use are still empty."""
        wish, days = order.template.wish, order.template.wish.validity_days
        codes = (wish.type_code, wish.authority_code)
        identity = self._parts.ids.new("ecert")
        return ECertificate(
            id=identity,
            org_id=order.template.org_id,
            template_id=order.template.id,
            type_code=wish.type_code,
            authority_code=wish.authority_code,
            type_name=wish.name,
            authority=wish.authority,
            number=order.number,
            serial=order.serial,
            version=order.version,
            identifier=identifier(*codes, order.serial, order.version),
            holder_masked=mask(order.values[wish.holder_field]),
            sealed=self._here.seal_data(identity, dict(order.values), token),
            token_hash=token_hash(token),
            valid_from=now,
            valid_until=None if days is None else day_start(now) + (days + 1) * DAY - SECOND,
            issued_at=now,
            issued_by=actor.id,
            digest="",
            blob="",
            seal_id=wish.seal_id,
            use_id="",
            replaces=None if order.replaced is None else order.replaced.id,
            batch_id=None if order.row is None else order.row.batch_id,
        )

    def _drawn(self, order: Order, draft: ECertificate, link: str) -> bytes:
        wish = order.template.wish
        until = "长期" if draft.valid_until is None else chinese_date(draft.valid_until)
        shown = {
            **order.values,
            "@title": wish.name,
            "@number": draft.number,
            "@identifier": draft.identifier,
            "@authority": wish.authority,
            "@issued_on": chinese_date(draft.issued_at),
            "@valid": f"{chinese_date(draft.valid_from)}至{until}",
        }
        code = [list(row) for row in segno.make(link, error="m").matrix]
        facts = DocumentFacts(
            document_id=sm3(draft.id.encode()).hex()[:32],
            title=wish.name,
            author=wish.authority,
            created_at=draft.issued_at,
            custom={
                "证照标识": draft.identifier,
                "证照类型代码": draft.type_code,
                "证照颁发机构代码": draft.authority_code,
            },
        )
        try:
            drawing = draw_page(order.template.layout, shown, code)
        except ECertificateError as error:
            raise ECertificateRejected.because(error.why) from error
        if wish.format == "pdf":
            return self._here.pages.render(drawing, facts)
        return draw_ofd(drawing, facts)

    def _replaceable(
        self,
        transaction: Transaction,
        actor: Actor,
        template: ECertificateTemplate,
        request: IssueRequest,
    ) -> ECertificate:
        old = self._here.load(transaction, actor.org_id, request.replaces)
        wish = template.wish
        if (old.type_code, old.authority_code) != (wish.type_code, wish.authority_code):
            raise ECertificateStateConflict("what is replaced is of another type or authority")
        if old.state not in NOT_ENDED:
            raise ECertificateStateConflict(f"what is replaced is {old.state}")
        if request.number not in ("", old.number):
            raise ECertificateNumberTaken("a reissued e-certificate keeps its number")
        return old


def problems_of(
    wish: TemplateWish, values: Mapping[str, str], number: str
) -> list[tuple[str, Text]]:
    """Return (field, why) for all that stands against issuing with cleaned ``values``."""
    why = list(check_values(wish.fields, values))
    if number and (len(number) > MAX_NUMBER or not number.isprintable()):
        text = f"至多 {MAX_NUMBER} 个可打印字符"
        why.append(("number", Text(text, f"is at most {MAX_NUMBER} printable characters")))
    if why or wish.layout is None:
        return why
    try:
        draw_page(wish.layout, {**values, "@number": number})
    except ECertificateError as error:
        return [("", error.why)]
    return []


def _joined(wish: TemplateWish, why: Sequence[tuple[str, Text]]) -> Text:
    """Return all of ``why`` as one sentence: names of fields, never what they hold."""
    titles = {field.name: field.title for field in wish.fields}
    zh = ";".join(f"{titles.get(name, name)} {text.zh}".strip() for name, text in why)
    en = "; ".join(f"{titles.get(name, name)} {text.en}".strip() for name, text in why)
    return Text(zh, en)
