"""Who works on an incident, what is to be done, and what was observed. Instants: UTC µs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

MemberRole = Literal["lead", "analyst", "observer"]
MEMBER_ROLES: Final[dict[MemberRole, Text]] = {
    "lead": Text("负责人", "Lead"),
    "analyst": Text("处置人员", "Analyst"),
    "observer": Text("观察员", "Observer"),
}
Deed = Literal["work", "judge", "close", "staff"]
"""What a member does: the daily work, class and level, closing and reopening, membership."""

TaskState = Literal["open", "done", "dropped"]
TASK_STATES: Final[dict[TaskState, Text]] = {
    "open": Text("待办", "To do"),
    "done": Text("已完成", "Done"),
    "dropped": Text("不再需要", "Dropped"),
}

ObservableKind = Literal[
    "ip",
    "domain",
    "url",
    "email",
    "account",
    "host",
    "session",
    "client",
    "md5",
    "sha1",
    "sha256",
    "sm3",
    "file_name",
    "other",
]
OBSERVABLE_KINDS: Final[dict[ObservableKind, Text]] = {
    "ip": Text("IP 地址", "IP address"),
    "domain": Text("域名", "Domain"),
    "url": Text("网址", "URL"),
    "email": Text("邮箱", "E-mail address"),
    "account": Text("账户", "Account"),
    "host": Text("主机", "Host"),
    "session": Text("会话", "Session"),
    "client": Text("应用", "Application"),
    "md5": Text("文件 MD5", "File, MD5"),
    "sha1": Text("文件 SHA-1", "File, SHA-1"),
    "sha256": Text("文件 SHA-256", "File, SHA-256"),
    "sm3": Text("文件 SM3", "File, SM3"),
    "file_name": Text("文件名", "File name"),
    "other": Text("其他", "Other"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works on an incident; ``name`` as it was when they were added."""

    incident_id: str
    account_id: str
    org_id: str
    name: str
    role: MemberRole
    added_by: str
    added_at: int


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done. ``phase`` is a state of the incident; ``source`` the plan it is of.

    ``assignee`` is an account's id or ""; ``done_by`` and ``result`` say how it ended.
    """

    id: str
    incident_id: str
    org_id: str
    title: str
    phase: str
    created_by: str
    created_at: int
    assignee: str = ""
    assignee_name: str = ""
    due_at: int | None = None
    state: TaskState = "open"
    done_by: str = ""
    done_at: int | None = None
    result: str = ""
    source: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Observable:
    """Something seen in an incident, in its one written form; ``alert_id`` is where from, or "".

    ``first_seen`` and ``last_seen`` are event times.
    """

    incident_id: str
    kind: ObservableKind
    value: str
    org_id: str
    first_seen: int
    last_seen: int
    alert_id: str
    added_by: str
    added_at: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """An observable of one incident that another one has, too."""

    kind: ObservableKind
    value: str
    incident_id: str
    title: str
    state: str
    first_seen: int
    last_seen: int
