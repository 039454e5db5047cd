"""An office that issues e-certificates: a sealed template in force over a real database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kms.models.ecertificates import (
    Batch,
    DocumentFacts,
    Drawing,
    ECertificate,
    ECertificateTemplate,
    IssueRequest,
)
from kms.models.seal_registry import SealRecord
from kms.ports.ecertificates import PageRenderer
from kms.service.ecertificates import ECertificates, ECertificateStores, build_ecertificates
from kms.service.seals import SealUses
from kms.store.ecertificates import SqlBatchStore, SqlECertificateStore, SqlTemplateStore
from secops.kernel.pages import PageRequest
from tests.fakes.seal_registry import APPLICANT, HOLDER, SECURITY, World, build
from tests.fakes.sealing import FakeDocumentBox, PixelPainter

TYPE = "11100000000013338W032"
AUTHORITY = "11220000013544541J"
SITE = "https://seals.example"
VALUES = {"holder": "欧阳春晖", "id_number": "110101199003070011", "scope": "食品经营"}


def template_record(seal_id: str, **changes: Any) -> dict[str, Any]:
    """Return a template as somebody would send it."""
    return {
        "type_code": TYPE,
        "name": "食品经营许可证",
        "authority": "临江县市场监督管理局",
        "authority_code": AUTHORITY,
        "number_prefix": "JY",
        "fields": [
            {"name": "holder", "title": "经营者", "public": "masked", "max_length": 40},
            {"name": "id_number", "title": "证件号码", "max_length": 18},
            {
                "name": "scope",
                "title": "经营项目",
                "kind": "choice",
                "choices": ["食品经营", "食品销售"],
                "public": "shown",
            },
            {"name": "area", "title": "面积", "kind": "number", "required": False},
            {"name": "founded", "title": "成立日期", "kind": "date", "required": False},
        ],
        "holder_field": "holder",
        "seal_id": seal_id,
        "validity_days": 365,
        **changes,
    }


@dataclass
class Office:
    world: World
    services: ECertificates
    box: FakeDocumentBox
    seal: SealRecord

    def template(self, **changes: Any) -> ECertificateTemplate:
        templates = self.services.templates
        proposed = templates.propose_ecertificate_template(
            APPLICANT, template_record(self.seal.id, **changes)
        )
        return templates.decide_ecertificate_template(
            SECURITY, proposed.id, grant=True, reason="同意"
        )

    def issue(self, template: ECertificateTemplate, **changes: Any) -> ECertificate:
        return self.services.issuing.issue_ecertificate(
            HOLDER, IssueRequest(template.id, {**VALUES, **changes})
        )

    def link(self, issued: ECertificate) -> str:
        return self.services.registry.open_ecertificate(HOLDER, issued.id).link

    def token(self, issued: ECertificate) -> str:
        return self.link(issued).rpartition("/")[2]

    def file(self, issued: ECertificate) -> bytes:
        return self.services.registry.open_ecertificate(HOLDER, issued.id).document

    def order(self, template: ECertificateTemplate, count: int, **changes: str) -> Batch:
        lines = [orjson.dumps({**VALUES, "holder": f"经营者{n}", **changes}) for n in range(count)]
        content = b"\n".join(lines)
        return self.services.batches.order_ecertificate_batch(
            HOLDER, template.id, content, name="第一批"
        )

    def uses(self) -> int:
        return len(self.use_ids())

    def use_ids(self) -> set[str]:
        page = self.world.using.list_uses(HOLDER, self.seal.id, PageRequest(200))
        return {use.id for use in page.items}


class NoPages:
    """Sets nothing: for tests of OFDs."""

    def render(self, drawing: Drawing, facts: DocumentFacts) -> bytes:
        raise NotImplementedError


def open_office(home: Path, pages: PageRenderer | None = None) -> Office:
    """Return an office in a new home under ``home``; close ``world.spine`` in the end."""
    # PDFs take pictures that are pictures
    world, box = build(home, PixelPainter() if pages else None), FakeDocumentBox()
    services = build_ecertificates(
        world.parts,
        SealUses(world.parts),
        world.verification,
        stores=ECertificateStores(
            SqlTemplateStore(), SqlECertificateStore(), SqlBatchStore(), box, pages or NoPages()
        ),
        public_url=SITE,
    )
    return Office(world, services, box, world.make())
