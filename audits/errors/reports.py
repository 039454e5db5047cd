"""What can go wrong with reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError, TooLarge, Unavailable

_NAMED: Final = 40


class ReportRejected(SecopsError):
    """A report's proof does not fit the report."""

    code = "audits.report_rejected"
    status = 422
    exit_code = 1
    title = Text("报告未通过验证", "The report does not verify")
    remedy = Text(
        "请向出具方索取原始报告及其 .proof 文件。",
        "Ask the issuer for the original report and its .proof file.",
    )


class ReportChanged(ReportRejected):
    """The proof holds, and the file is not what was signed.

    ``changes`` are (how, part, items) of each part that differs.
    """

    code = "audits.report_changed"
    title = Text("报告内容被改动", "The report was changed")

    def __init__(self, claim: str, changes: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
        """Name what differs: the ``claim`` that does not fit, and the ``changes``."""
        named = [f"{how}: {name}" for how, name, _ in changes[:_NAMED]]
        more = len(changes) - len(named)
        named += [f"and {more} more"] if more else []
        items = dict.fromkeys(item for _, _, items in changes for item in items)
        super().__init__(
            f"the report was changed, its {claim} differs; {'; '.join(named)}",
            items=" ".join(list(items)[:_NAMED]),
        )
        self.changes = tuple(changes)


class ProtectionUnavailable(Unavailable):
    """Nothing here encrypts to partners."""

    code = "audits.protection_unavailable"
    title = Text("无法为合作方加密", "Nothing here encrypts to partners")
    remedy = Text(
        "请在接入密钥库的实例上导出,或导出后自行加密。",
        "Export on an instance with a key pool, or encrypt the file yourself.",
    )


class ArchiveTooLarge(TooLarge):
    """An archive has more files or bytes than a verifier would take."""

    code = "audits.archive_too_large"
    title = Text("归档过大", "The archive is too large")
    remedy = Text(
        "请在命令行导出到文件夹,或按系统分别核查后归档。",
        "Export it to a folder on the command line, or assess the systems one by one.",
    )
