"""What can go wrong between a ledger and its witnesses."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, SecopsError


class UnknownLog(NotFound):
    """The witness was not told to watch a log of this origin."""

    code = "audits.unknown_log"
    title = Text("见证方未登记该账本", "The witness does not watch this log")
    remedy = Text(
        "请在见证机上运行 secops witness trust DIR VKEY。",
        "On the witness's machine run `secops witness trust DIR VKEY`.",
    )


class StaleSize(Conflict):
    """The log's idea of what the witness saw last is wrong; ``size`` is the right one."""

    code = "audits.stale_size"
    title = Text("见证方看到的账本大小不同", "The witness saw the log at another size")
    remedy = Text(
        "请用应答中的大小重新生成一致性证明。", "Prove growth from the size in the answer."
    )

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness saw {size} entries last")
        self.size = size


class HistoryForked(Conflict):
    """Two checkpoints of one size and origin differ: the log shows two histories."""

    code = "audits.history_forked"
    title = Text("账本出现两个互不一致的历史", "The log shows two histories")
    remedy = Text(
        "立即停用该账本的签名密钥,保全两份检查点并上报。",
        "Suspend the log's keys at once, keep both checkpoints, and report it.",
    )


class NotCosigned(NotFound):
    """No checkpoint is kept that enough witnesses cosigned."""

    code = "audits.not_cosigned"
    title = Text("尚无经见证方联署的检查点", "No checkpoint was cosigned yet")
    remedy = Text(
        "请稍后重试;若一直没有,请检查 ledger_witnesses 设置和见证方。",
        "Try again in a minute; if it lasts, look at ledger_witnesses and at the witnesses.",
    )


class WitnessInvalid(Invalid):
    """A witness's folder, name or setting makes no sense."""

    code = "audits.witness_invalid"
    exit_code = 2
    title = Text("见证方设置不正确", "The witness is not set up correctly")
    remedy = Text(
        "请按 docs/manual/witness.md 的步骤建立见证方。",
        "Set the witness up as docs/manual/witness.md says.",
    )


class WitnessMissing(SecopsError):
    """No trusted witness vouches for a checkpoint of this ledger."""

    code = "audits.witness_missing"
    status = 422
    exit_code = 1
    title = Text("没有可信见证方的联署", "No trusted witness has cosigned")
    remedy = Text(
        "请向见证方索取最近的联署检查点,再用 --checkpoint 核对。",
        "Ask the witness for the newest checkpoint it cosigned and pass it with --checkpoint.",
    )
