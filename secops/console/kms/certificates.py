"""Certificates (数字证书): the list, one with its chain, requests as cards, issue and revoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.certificates import (
    CertificateDetails,
    CertificateFilter,
    CertificateRequest,
    CertificateWish,
)
from kms.models.seal_registry import IssuedCertificate
from kms.models.seals import MARKING
from kms.service.certificates import read_one, to_pem
from kms.service.certificates.requests import REQUESTABLE
from secops.console.kms.seals import APPROVAL_STATES
from secops.console.parts import Desk, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.approvals import Approval
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.permissions.kms import (
    ANCHOR_READ,
    CERTIFICATE_APPROVE,
    CERTIFICATE_ISSUE,
    CERTIFICATE_READ,
    CERTIFICATE_REQUEST,
    CERTIFICATE_REVOKE,
    CERTIFICATE_REVOKE_ALL,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_HERE: Final = "/certificates"
_MAX_REQUEST: Final = 128 << 10
KINDS: Final = {
    "root": N_("根证书"),
    "document_root": N_("文档根证书"),
    "maker": N_("制章者"),
    "signer": N_("用印人"),
    "document_signer": N_("用印人(PDF)"),
    "time_stamper": N_("时间戳"),
    "document_time_stamper": N_("时间戳(国际算法)"),
    "ocsp_responder": N_("OCSP 应答"),
    "document_ocsp_responder": N_("OCSP 应答(国际算法)"),
    "document_signing": N_("文档签名"),
    "tls_server": N_("TLS 服务器"),
    "tls_client": N_("人员或 TLS 客户端"),
    "sm2_signing": N_("SM2 签名证书(双证书)"),
    "sm2_encryption": N_("SM2 加密证书(双证书)"),
    "outside_maker": N_("制章者(外部 CA)"),
    "outside_signer": N_("用印人(外部 CA)"),
}
REASONS: Final = {
    "unspecified": N_("未说明"),
    "key_compromise": N_("密钥泄露"),
    "affiliation_changed": N_("隶属关系变更"),
    "superseded": N_("已被替换"),
    "cessation_of_operation": N_("停止使用"),
    "privilege_withdrawn": N_("权限收回"),
}
_STATES: Final = {"valid": N_("未吊销"), "revoked": N_("已吊销")}
_COLUMNS: Final = (
    Column("subject", N_("主体")),
    Column("kind", N_("类型")),
    Column("state", N_("状态")),
    Column("issued", N_("签发时间")),
    Column("until", N_("有效至")),
    Column("serial", N_("序列号")),
)


@dataclass(frozen=True, slots=True)
class _Certificates:
    desk: Desk

    def list_certificates(self, request: Request) -> Response:
        """Show the certificates, the requests that wait, and the form that asks."""
        here, caller = self.desk.parts.kms.certificates, request.caller
        query = request.query
        state = query.get("state", "")
        chosen = {"valid": False, "revoked": True}.get(state)
        wanted = CertificateFilter(query.get("q", ""), query.get("kind", ""), chosen)
        page = here.registry.list_certificates(caller, wanted, wanted_page(request))
        rows = [self._row(request, each) for each in page.items]
        table = Table(N_("数字证书"), _COLUMNS, rows, page.next, N_("还没有证书"))
        requests = here.requests.list_certificate_requests(caller, PageRequest(MAX_LIMIT))
        return self.desk.list_page(
            request,
            "kms/certificates.html",
            table,
            waiting=[_Card(*pair) for pair in requests.items if _waits(*pair)],
            approval_states=APPROVAL_STATES,
            kinds=KINDS,
            states=_STATES,
            profiles={name: KINDS[name] for name in REQUESTABLE},
            search=wanted.text,
            kind=wanted.kind,
            state=state,
            renews=query.get("renews", ""),
            may_request=caller.may(CERTIFICATE_REQUEST),
            may_approve=caller.may(CERTIFICATE_APPROVE),
            may_issue=caller.may(CERTIFICATE_ISSUE),
            marking=MARKING,
            may_see_anchors=caller.may(ANCHOR_READ),
        )

    def _row(self, request: Request, each: IssuedCertificate) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        ended = each.revoked_at is not None or each.not_after < self.desk.parts.clock.now()
        state = (
            N_("已吊销") if each.revoked_at is not None else N_("已过期") if ended else N_("有效")
        )
        return (
            Cell(each.subject, href=f"{_HERE}/{each.id}"),
            Cell(word(request, KINDS.get(each.kind, each.kind))),
            Cell(word(request, state), badge="bad" if ended else "good"),
            Cell("", instant=each.issued_at),
            Cell("", instant=each.not_after),
            Cell(each.serial),
        )

    def show_certificate(self, request: Request) -> Response:
        """Show one certificate, those above it, and what it answers."""
        caller = request.caller
        details = self.desk.parts.kms.certificates.registry.show_certificate(
            caller, request.args["certificate_id"]
        )
        found = details.certificate
        own = found.requester_id == caller.id and caller.may(CERTIFICATE_REVOKE)
        revocable = details.request is not None and not details.revoked
        return self.desk.page(
            request,
            "kms/certificate.html",
            certificate=found,
            issuers=details.issuers,
            revoked=details.revoked,
            request_=details.request,
            other=_other(details),
            kinds=KINDS,
            reasons=REASONS,
            may_revoke=revocable and (own or caller.may(CERTIFICATE_REVOKE_ALL)),
            may_renew=revocable and caller.may(CERTIFICATE_REQUEST),
        )

    def fetch_certificate(self, request: Request) -> Response:
        """Give out the certificate in PEM with its issuer behind."""
        details = self.desk.parts.kms.certificates.registry.show_certificate(
            request.caller, request.args["certificate_id"]
        )
        chain = (details.certificate, *details.issuers)
        content = "".join(to_pem("CERTIFICATE", each.der) for each in chain)
        name = f"{details.certificate.id}.pem"
        return file_response(content.encode(), "application/x-pem-file", name)

    def request_certificate(self, request: Request) -> Response:
        """Ask for a certificate with the PKCS#10 in the form."""
        form = request.form
        wish = CertificateWish(
            profile=form.get("profile", ""),
            csr=read_one(form.get("csr", "").encode(), "CERTIFICATE REQUEST"),
            reason=form.get("reason", ""),
            organization=form.get("organization", "").strip(),
            renews=form.get("renews", "").strip() or None,
        )
        self.desk.parts.kms.certificates.requests.request_certificate(request.caller, wish)
        return redirect(_HERE)

    def decide_certificate_request(self, request: Request) -> Response:
        """Approve or reject what the card shows."""
        form = request.form
        self.desk.parts.kms.certificates.requests.decide_certificate_request(
            request.caller,
            request.args["request_id"],
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(_HERE)

    def issue_certificate(self, request: Request) -> Response:
        """Issue an approved one."""
        issued = self.desk.parts.kms.certificates.issuing.issue_certificate(
            request.caller, request.args["request_id"]
        )
        return redirect(f"{_HERE}/{issued.id}")

    def revoke_certificate(self, request: Request) -> Response:
        """End one for good."""
        certificate_id = request.args["certificate_id"]
        self.desk.parts.kms.certificates.registry.revoke_certificate(
            request.caller, certificate_id, request.form.get("reason", "")
        )
        return redirect(f"{_HERE}/{certificate_id}")


@dataclass(frozen=True, slots=True)
class _Card:
    """A request beside its approval."""

    request: CertificateRequest
    approval: Approval


def _waits(request: CertificateRequest, approval: Approval) -> bool:
    return request.state == "requested" and approval.state in ("pending", "approved")


def _other(details: CertificateDetails) -> str:
    """Return the other certificate of an SM2 pair, "" where there is none."""
    request = details.request
    if request is None or request.encryption_id is None:
        return ""
    first = request.certificate_id or ""
    return request.encryption_id if details.certificate.id == first else first


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the certificates' pages."""
    here = _Certificates(desk)
    one, asked = f"{_HERE}/<certificate_id>", f"{_HERE}/requests/<request_id>"
    return (
        get_page(_HERE, "show_certificates", CERTIFICATE_READ, here.list_certificates),
        post_page(
            f"{_HERE}/request",
            "request_certificate_form",
            CERTIFICATE_REQUEST,
            here.request_certificate,
            max_body=_MAX_REQUEST,
        ),
        post_page(
            f"{asked}/decide",
            "decide_certificate_request_form",
            CERTIFICATE_APPROVE,
            here.decide_certificate_request,
            level=2,
        ),
        post_page(
            f"{asked}/issue",
            "issue_certificate_form",
            CERTIFICATE_ISSUE,
            here.issue_certificate,
            level=2,
        ),
        get_page(one, "show_certificate_page", CERTIFICATE_READ, here.show_certificate),
        get_page(f"{one}/file", "fetch_certificate", CERTIFICATE_READ, here.fetch_certificate),
        post_page(
            f"{one}/revoke",
            "revoke_certificate_form",
            CERTIFICATE_REVOKE,
            here.revoke_certificate,
            level=2,
        ),
    )
