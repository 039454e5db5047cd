"""What can go wrong with the ledger."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, SecopsError, Unavailable


class ProofRejected(SecopsError):
    """A Merkle proof does not lead to the root it was made for."""

    code = "audits.proof_rejected"
    status = 422
    exit_code = 1
    title = Text("存在性或一致性证明不成立", "The inclusion or consistency proof does not hold")
    remedy = Text(
        "请向账本运营方索取新的证明;若仍不成立,请将检查点交给审计员比对。",
        "Ask the ledger's operator for a new proof; if that fails, hand it to an auditor.",
    )


class NoteRejected(SecopsError):
    """A signed note is malformed, or no known key signed it, or a known key's signature fails."""

    code = "audits.note_rejected"
    status = 422
    exit_code = 1
    title = Text("检查点签名不成立", "The checkpoint's signature does not verify")
    remedy = Text(
        "请核对验证公钥是否取自可信的导出副本。",
        "Check that the verification keys come from a trusted, exported copy.",
    )


class MalformedProof(Invalid):
    """The file is not a tlog-proof, tile or entry bundle."""

    code = "audits.malformed_proof"
    title = Text("证明文件格式不正确", "The proof file is malformed")
    remedy = Text(
        "请使用 secops audits prove 生成的文件。", "Use a file made by `secops audits prove`."
    )


class LedgerDamaged(SecopsError):
    """The ledger's files can't be read, or contradict themselves."""

    code = "audits.ledger_damaged"
    status = 503
    exit_code = 1
    title = Text("账本文件已损坏", "The ledger's files are damaged")
    remedy = Text(
        "请停止服务,保留现场,用最近的备份和已导出的检查点核对。",
        "Stop the service, keep the files, compare with the backup and exported checkpoints.",
    )


class LedgerMissing(SecopsError):
    """There is no ledger in this home."""

    code = "audits.ledger_missing"
    status = 503
    exit_code = 2
    title = Text("没有找到账本", "There is no ledger here")
    remedy = Text(
        "请检查 --home,或先运行 secops init。", "Check --home, or run `secops init` first."
    )


class SignerLocked(Unavailable):
    """The key pool is locked: the ledger goes on, its checkpoints wait."""

    code = "audits.signer_locked"
    title = Text("密钥池已锁定,检查点暂缓签发", "The key pool is locked: checkpoints wait")
    remedy = Text("请解锁密钥池:secops kms unlock。", "Unlock the key pool: `secops kms unlock`.")


class LeaseLost(Conflict):
    """Another process sequences the ledger now; nothing was written."""

    code = "audits.lease_lost"
    title = Text("另一进程正在写账本", "Another process writes the ledger now")
    remedy = Text("无需处理:另一进程会继续。", "Nothing to do: the other process goes on.")


class EntryNotFound(NotFound):
    """The ledger has no such entry that the caller may see."""

    code = "audits.entry_not_found"
    title = Text("账本中没有该条目", "The ledger has no such entry")
    remedy = Text("请检查条目序号或叶子哈希。", "Check the entry's index or leaf hash.")


class NotCheckpointed(Conflict):
    """The entry is stored, but no signed checkpoint covers it yet."""

    code = "audits.not_checkpointed"
    title = Text("该条目尚未被检查点覆盖", "No checkpoint covers the entry yet")
    remedy = Text(
        "请一秒后重试;若密钥池已锁定,请先解锁。",
        "Try again in a second; if the key pool is locked, unlock it first.",
    )


class DoorDamaged(SecopsError):
    """Records that were acknowledged can't be read back before sequencing."""

    code = "audits.door_damaged"
    status = 503
    exit_code = 1
    title = Text("待入账的日志文件已损坏", "A journal that was not sequenced yet is damaged")
    remedy = Text(
        "请保留该日志文件并对照回执核查。",
        "Keep the journal file and compare it with the receipts.",
    )
