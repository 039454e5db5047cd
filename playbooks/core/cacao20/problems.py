"""What can be wrong with a playbook, in words; and the list in which findings gather."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from playbooks.models import Problem
from playbooks.models.playbooks import ProblemKind, ProblemLevel
from secops.kernel.catalogue import Text

MAX_FINDINGS: Final = 200

_KINDS: Final[Mapping[str, tuple[ProblemKind, ProblemLevel, str, str]]] = {
    "not_json": ("schema", "error", "不是合法的 JSON", "not valid JSON"),
    "duplicate_key": ("schema", "error", "键重复", "a key is repeated"),
    "too_large": ("schema", "error", "超过大小上限", "larger than the limit"),
    "too_many_steps": ("profile", "error", "步骤过多", "more steps than the limit"),
    "too_deep": ("schema", "error", "嵌套过深", "nested too deeply"),
    "wrong_type": ("schema", "error", "值的类型不对", "the value has the wrong type"),
    "missing_key": ("schema", "error", "缺少必需的键", "a required key is missing"),
    "unknown_key": ("schema", "error", "未知的键", "an unknown key"),
    "foreign_key": (
        "profile",
        "warning",
        "定义中含标准之外的键",
        "the definition has a key that the standard doesn't know",
    ),
    "bad_identifier": ("schema", "error", "标识符格式不对", "not an identifier (type--UUID)"),
    "bad_timestamp": ("schema", "error", "时间格式不对(应为 UTC,以 Z 结尾)", "not a UTC time"),
    "bad_value": ("schema", "error", "值不被允许", "the value is not allowed"),
    "out_of_range": ("schema", "error", "数值超出范围", "the number is out of range"),
    "bad_key": ("schema", "error", "键的格式不对", "the key is malformed"),
    "key_type_mismatch": ("schema", "error", "键的前缀与 type 不一致", "key and type differ"),
    "unknown_step_type": ("schema", "error", "未知的步骤类型", "an unknown type of step"),
    "start_missing": ("semantic", "error", "起始步骤不存在或不是 start", "no start step"),
    "end_missing": ("semantic", "error", "没有 end 步骤", "there is no end step"),
    "action_missing": ("semantic", "error", "没有任何动作步骤", "there is no action step"),
    "dangling_reference": ("semantic", "error", "引用的步骤不存在", "the step does not exist"),
    "unknown_agent": ("semantic", "error", "引用的执行者未定义", "the agent is not defined"),
    "unknown_target": ("semantic", "error", "引用的目标未定义", "the target is not defined"),
    "unknown_authentication": (
        "semantic",
        "error",
        "引用的认证信息未定义",
        "the authentication information is not defined",
    ),
    "unreachable_step": ("semantic", "error", "从起始步骤无法到达", "the step can't be reached"),
    "cycle": ("semantic", "error", "步骤形成循环", "the steps form a cycle"),
    "successor_missing": ("semantic", "error", "没有后继步骤", "the step leads nowhere"),
    "end_has_successor": ("semantic", "error", "end 步骤不得有后继", "an end step goes on"),
    "bad_condition": ("semantic", "error", "条件表达式不合法", "not a condition we can decide"),
    "ttl_without_compensate": (
        "profile",
        "error",
        "设了有效期却没有补偿步骤",
        "a time to live, and no step that ends it",
    ),
    "start_branches": (
        "semantic",
        "error",
        "start 步骤只能有 on_completion",
        "a start step has on_completion only",
    ),
    "completion_and_success": (
        "semantic",
        "error",
        "on_completion 与 on_success/on_failure 互斥",
        "on_completion excludes on_success and on_failure",
    ),
    "branch_without_end": (
        "semantic",
        "error",
        "分支没有自己的 end 步骤",
        "a branch has no end step of its own",
    ),
    "branch_shared": (
        "semantic",
        "error",
        "分支之间或分支与后续共用步骤",
        "a step belongs to two branches, or to a branch and what follows",
    ),
    "modified_before_created": (
        "semantic",
        "error",
        "修改时间早于创建时间",
        "modified is before created",
    ),
    "validity_reversed": (
        "semantic",
        "error",
        "valid_until 不晚于 valid_from",
        "valid_until is not after valid_from",
    ),
    "undefined_variable": ("semantic", "error", "变量未定义", "the variable is not defined"),
    "constant_assigned": ("semantic", "error", "向常量赋值", "a constant is assigned"),
    "compensate_cycle": ("semantic", "error", "补偿步骤形成循环", "compensations form a cycle"),
    "unknown_command_type": (
        "vocabulary",
        "error",
        "未知的命令类型",
        "an unknown type of command",
    ),
    "unknown_action": ("profile", "error", "未知的 secops 动作", "an unknown secops action"),
    "extension_undeclared": (
        "profile",
        "error",
        "使用了未声明的扩展",
        "the extension is not declared in extension_definitions",
    ),
    "timeout_missing": ("profile", "error", "secops 步骤必须有 timeout", "a timeout is required"),
    "one_command_only": (
        "profile",
        "error",
        "secops 步骤只能有一条命令",
        "a secops step has exactly one command",
    ),
    "secops_agent_required": (
        "profile",
        "error",
        "secops 命令必须由 secops 执行者执行",
        "a secops command needs an agent of type secops",
    ),
    "clear_password": ("profile", "warning", "含明文口令", "holds a password in clear"),
    "microseconds": (
        "profile",
        "warning",
        "时间精度应为毫秒",
        "times have millisecond precision at most",
    ),
    "http_start_line": (
        "profile",
        "warning",
        "http-api 命令应为完整请求行(方法 路径 HTTP/1.1)",
        "the command is a full HTTP start line (METHOD path HTTP/1.1)",
    ),
    "shadowed_variable": (
        "profile",
        "warning",
        "步骤变量遮蔽了剧本变量",
        "a step variable hides a playbook variable",
    ),
    "switch_without_default": (
        "profile",
        "warning",
        "switch 没有 default 分支,无匹配即失败",
        "the switch has no default: no match is a failure",
    ),
    "not_yet": (
        "profile",
        "warning",
        "已检查,但本版本暂不执行",
        "checked, but this release can't execute it yet",
    ),
}


def pointer(place: str, key: str | int) -> str:
    """Return the JSON pointer of ``key`` below ``place`` (RFC 6901 §3)."""
    return f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}"


class Findings:
    """Gathers problems in the order met, at most ``MAX_FINDINGS``, each once."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str, str], Problem] = {}

    def add(self, code: str, place: str, detail: str = "") -> None:
        """Note one defect; ``detail`` is cut to 120 characters."""
        kind, level, zh, en = _KINDS[code]
        short = detail[:120]
        if len(self._problems) < MAX_FINDINGS:
            problem = Problem(code, kind, level, place, Text(zh, en), short)
            self._problems.setdefault((code, place, short), problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that was noted."""
        return tuple(self._problems.values())

    @property
    def failed(self) -> bool:
        """Whether an error is among them."""
        return any(problem.level == "error" for problem in self._problems.values())


CODES: Final = frozenset(_KINDS)
