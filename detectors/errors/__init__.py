"""The detectors plane's branch of the error tree."""

from __future__ import annotations

from unicodedata import east_asian_width

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, TooLarge, TooMany, Unavailable


class BadQuery(Invalid):
    """A search query that can't be read; ``at`` is where in ``query`` (0-based)."""

    code = "detectors.bad_query"
    title = Text("查询语句无法理解", "The query can't be read")
    remedy = Text(
        "请按 字段:值 书写,用 AND、OR、NOT 连接,特殊字符放在引号内。",
        "Write field:value joined by AND, OR, NOT; quote special characters.",
    )

    def __init__(self, problem: str = "", *, query: str = "", at: int | None = None) -> None:
        """Say what is wrong and, below the query's line, where."""
        if at is None:
            super().__init__(problem)
        else:
            super().__init__(f"{problem}\n{_pointed_at(query, at)}", column=at + 1)


class QueryNotClosed(BadQuery):
    """A quote or bracket of the query is not closed."""

    code = "detectors.query_not_closed"
    title = Text("引号或括号没有闭合", "A quote or bracket is not closed")
    remedy = Text(
        r"请补上对应的引号或括号;要检索该字符本身,请写在引号内或在前面加 \。",
        r"Close it; to search for the character itself, quote it or put \ before it.",
    )


class QueryNeedsField(BadQuery):
    """A part of the query needs the name of a field before it."""

    code = "detectors.query_needs_field"
    title = Text("此处需要字段名", "A field's name is needed here")
    remedy = Text("请写成 字段:[1 TO 5] 或 字段:>=5。", "Write field:[1 TO 5] or field:>=5.")


class QueryNotOffered(BadQuery):
    """Lucene has it, this search does not: its cost would depend on who writes it."""

    code = "detectors.query_not_offered"
    title = Text("不支持这种写法", "This is not offered")
    remedy = Text(
        "请用 AND、OR、NOT 与通配符 *、?;路径等含 / 的值请放在引号内。",
        "Use AND, OR, NOT and the wildcards * and ?; quote values with /, such as paths.",
    )


class QueryTooLarge(BadQuery):
    """The query passes a limit of length, depth or number of terms."""

    code = "detectors.query_too_large"
    title = Text("查询语句过长或嵌套过深", "The query is too long or nests too deeply")
    remedy = Text(
        "请分几次检索,或用范围、网段、通配符代替逐个列举。",
        "Search in several steps, or use a range, a network or wildcards instead of a list.",
    )


class BadQueryTime(BadQuery):
    """A time in a query or its window that can't be read."""

    code = "detectors.bad_query_time"
    title = Text("时间无法理解", "The time can't be read")
    remedy = Text(
        "请写成 2026-11-22、2026-11-22T08:00:00+08:00 或 now-2h。",
        "Write 2026-11-22, 2026-11-22T08:00:00+08:00 or now-2h.",
    )


def _pointed_at(query: str, at: int) -> str:
    """Return the part of ``query`` around ``at`` with a caret under it (on a terminal)."""
    begin = max(0, at - 60)
    shown = "".join(c if c.isprintable() else " " for c in query[begin : at + 20])
    blanks = sum(2 if east_asian_width(c) in "WF" else 1 for c in shown[: at - begin])
    return f"  {shown}\n  {' ' * blanks}^"


class NothingReadable(Invalid):
    """Of all the files given, no line could be read."""

    code = "detectors.nothing_readable"
    title = Text("没有可读取的日志", "Nothing was readable")
    remedy = Text(
        "请查看拒收文件中的原因,并用 --format、--encoding 指明格式。",
        "See the reasons in the rejects file; name the format with --format and --encoding.",
    )


class UnknownFormat(Invalid):
    """A log format that is not offered."""

    code = "detectors.unknown_format"
    title = Text("未知的日志格式", "Unknown log format")
    remedy = Text("请从手册列出的格式中选择。", "Choose one of the formats in the manual.")


class SourceNotFound(NotFound):
    """No log source of that name is registered."""

    code = "detectors.source_not_found"
    title = Text("未找到日志来源", "Log source not found")
    remedy = Text(
        "请检查来源名称,或先登记该来源。", "Check the name, or register the source first."
    )


class SourceExists(Conflict):
    """A log source of that name is registered already."""

    code = "detectors.source_exists"
    title = Text("日志来源已存在", "The log source exists")
    remedy = Text("请换一个名称,或修改已有来源。", "Choose another name, or change that source.")


class EventNotFound(NotFound):
    """No stored event has this id."""

    code = "detectors.event_not_found"
    title = Text("未找到日志事件", "Event not found")
    remedy = Text(
        "请检查事件编号;超过保存期限的日志已删除。",
        "Check the id; events older than the retention are gone.",
    )


class LogStoreUnavailable(Unavailable):
    """The log store can't write or read now; what was spooled is kept."""

    code = "detectors.log_store_unavailable"
    title = Text("日志存储不可用", "The log store is unavailable")
    remedy = Text(
        "请检查磁盘空间和权限;已接收的日志仍在暂存区,恢复后自动入库。",
        "Check disk space and permissions; what was spooled is stored when it recovers.",
    )


class ElasticsearchUnavailable(LogStoreUnavailable):
    """The cluster did not answer as long as it was asked."""

    code = "detectors.elasticsearch_unavailable"
    title = Text("Elasticsearch 不可用", "Elasticsearch is unavailable")
    remedy = Text(
        "请检查集群状态和网络;已接收的日志仍在暂存区,恢复后自动入库。",
        "Check the cluster and the network; what was spooled is stored when it answers again.",
    )


class LogStoreRefused(Unavailable):
    """The log store understands the request and refuses it."""

    code = "detectors.log_store_refused"
    title = Text("日志存储拒绝了请求", "The log store refuses the request")
    remedy = Text(
        "请检查账号或 API 密钥的权限、CA 文件和索引模板(见手册 elasticsearch)。",
        "Check the user's or API key's rights, the CA file and the index template (manual).",
    )


class LogStoreMisconfigured(Invalid):
    """The log store's URL or what goes with it has no meaning."""

    code = "detectors.log_store_misconfigured"
    title = Text("日志存储配置不正确", "The log store's settings are not valid")
    remedy = Text(
        "请按 elasticsearch+https://用户:密码@主机:9200 填写 logstore_url。",
        "Write logstore_url as elasticsearch+https://user:password@host:9200.",
    )


class SegmentDamaged(Unavailable):
    """A file of the log store is not what was written."""

    code = "detectors.segment_damaged"
    title = Text("日志段文件已损坏", "A log segment is damaged")
    remedy = Text(
        "请从备份恢复该文件,并用账本中的摘要核对。",
        "Restore the file from a backup and compare it with the digest in the ledger.",
    )


class AlertNotFound(NotFound):
    """No alert has this id."""

    code = "detectors.alert_not_found"
    title = Text("未找到告警", "Alert not found")
    remedy = Text("请检查告警编号。", "Check the alert's id with list-alerts.")


class AlertNotOpen(Conflict):
    """The alert was closed or merged into another one."""

    code = "detectors.alert_not_open"
    title = Text("告警已不在打开状态", "The alert is not open")
    remedy = Text("请刷新后查看其当前状态。", "Reload to see its present state.")


class RuleNotFound(NotFound):
    """No rule of this instance has this id."""

    code = "detectors.rule_not_found"
    title = Text("未找到检测规则", "Rule not found")
    remedy = Text("请用 list-rules 查看规则编号。", "See the rules' ids with list-rules.")


class RuleFolderRefused(Invalid):
    """A folder of rules is not taken: what lies in it breaks a limit or could lead elsewhere."""

    code = "detectors.rule_folder_refused"
    title = Text("规则目录未被导入", "The rule folder was not imported")
    remedy = Text(
        "请去掉符号链接和过大的文件,再导入一次。",
        "Remove symbolic links and files that are too large, then import again.",
    )


class RuleFolderNotFound(NotFound):
    """No rule folder of this name was imported."""

    code = "detectors.rule_folder_not_found"
    title = Text("未找到规则目录", "Rule folder not found")
    remedy = Text(
        "请用 list-rule-folders 查看已导入的目录。",
        "See the imported folders with list-rule-folders.",
    )


class NoRules(Invalid):
    """Of all the rule files given, no rule could be read."""

    code = "detectors.no_rules"
    title = Text("没有可用的检测规则", "No rule could be read")
    remedy = Text(
        "请用 check-rules 查看每个文件的问题。",
        "Run check-rules to see what is wrong with each file.",
    )


class DetectorsBusy(Unavailable):
    """Another process holds the lease on the detectors for too long."""

    code = "detectors.busy"
    title = Text("检测正在另一进程中运行", "The detectors run in another process")
    remedy = Text("请稍后重试。", "Try again in a moment.")


class BulkRejected(Invalid):
    """A bulk request whose lines can't be told apart."""

    code = "detectors.bulk_rejected"
    title = Text("批量请求格式不正确", "The bulk request can't be read")
    remedy = Text(
        "请按 Elasticsearch _bulk 的格式发送:一行动作、一行文档,均为 JSON。",
        "Send Elasticsearch's _bulk form: a line with the action, a line with the document.",
    )


class BulkTooLarge(TooLarge):
    """A bulk request that holds more than is read at a time."""

    code = "detectors.bulk_too_large"
    title = Text("批量请求过大", "The bulk request is too large")
    remedy = Text("请减小每批的大小。", "Send smaller batches.")


class SpoolFull(TooMany):
    """More waits to be stored than the spool may hold; nothing was taken."""

    code = "detectors.spool_full"
    title = Text("日志暂存区已满", "The log spool is full")
    remedy = Text(
        "请稍后重试;若持续出现,请检查日志存储是否可写。",
        "Try again in a moment; if it goes on, check that the log store can be written.",
    )


class ListenerFailed(Unavailable):
    """A syslog listener can't be opened."""

    code = "detectors.listener_failed"
    title = Text("日志监听无法启动", "A log listener can't be opened")
    remedy = Text(
        "请检查 syslog_* 配置的地址、端口权限和证书。",
        "Check the addresses, port rights and certificates of the syslog_* settings.",
    )


class NetworkTableRejected(Invalid):
    """The operator's table of networks has a line that can't be read."""

    code = "detectors.network_table_rejected"
    title = Text("网络归属表无法读取", "The table of networks can't be read")
    remedy = Text(
        "每行写作 网段,国家两字母代码[,自治系统号],请更正指出的行。",
        "Write CIDR,COUNTRY[,ASN] on each line; correct the line named.",
    )


class ModelRejected(Conflict):
    """A model's file is incomplete, altered, or not signed by this instance."""

    code = "detectors.model_rejected"
    title = Text("异常检测模型未通过校验", "The anomaly model was rejected")
    remedy = Text(
        "请重新训练模型;登录照常进行。", "Train it anew with train-model; sign-ins go on."
    )


class ModelNotFound(NotFound):
    """No anomaly model has this id."""

    code = "detectors.model_not_found"
    title = Text("未找到异常检测模型", "Anomaly model not found")
    remedy = Text("请用 list-models 查看模型编号。", "See the models' ids with list-models.")


class HistoryTooShort(Conflict):
    """There is too little to learn from yet."""

    code = "detectors.history_too_short"
    title = Text("历史数据不足,无法训练", "There is too little history to learn from")
    remedy = Text("请在积累更多记录后重试。", "Try again when more has been recorded.")


class PrivacyKeysMissing(Unavailable):
    """Subjects and originals need keys of the pool, and there are none to be had."""

    code = "detectors.privacy_keys_missing"
    title = Text("脱敏所需密钥不可用", "The keys for masked data are not available")
    remedy = Text("请先解锁密钥池,然后重试。", "Unlock the key pool, then try again.")


class OriginalNotKept(NotFound):
    """The event has no original: nothing in it was masked, or its source keeps none."""

    code = "detectors.original_not_kept"
    title = Text("未保存该日志的原文", "No original is kept of this event")
    remedy = Text(
        "只有来源策略要求保存原文、且该行确有脱敏时才有原文。",
        "There is one only where the source's policy keeps originals and the line was masked.",
    )


class BadException(Invalid):
    """An exception that can't be read, or lasts too long."""

    code = "detectors.bad_exception"
    title = Text("例外不合规范", "The exception is not one")
    remedy = Text(
        "请给出条件(字段与值)、负责人、理由和不超过一年的期限。",
        "Give a condition (fields and values), an owner, a reason, and at most a year.",
    )


class ExceptionNotFound(NotFound):
    """No exception has this id."""

    code = "detectors.exception_not_found"
    title = Text("未找到例外", "Exception not found")
    remedy = Text("请用 list-exceptions 查看编号。", "See the ids with list-exceptions.")


class ExceptionNotOpen(Conflict):
    """The exception was decided or ended before."""

    code = "detectors.exception_not_open"
    title = Text("该例外已处理或已终止", "The exception was decided or ended")
    remedy = Text("请刷新后查看其当前状态。", "Reload to see its present state.")


class BadSuppression(Invalid):
    """A suppression that can't be read, or lasts too long."""

    code = "detectors.bad_suppression"
    title = Text("抑制设置不合规范", "The suppression is not one")
    remedy = Text(
        "请给出对象字段、时间窗、负责人、理由和不超过一年的期限。",
        "Give subjects, a window, an owner, a reason, and at most a year.",
    )


class SuppressionNotFound(NotFound):
    """No suppression has this id."""

    code = "detectors.suppression_not_found"
    title = Text("未找到抑制设置", "Suppression not found")
    remedy = Text("请用 list-suppressions 查看编号。", "See the ids with list-suppressions.")
