"""Why a playbook is not run: nobody vouches for it, or no longer."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid


class PlaybookUnsigned(Conflict):
    """No trusted key has signed this version of the playbook: it is a draft."""

    code = "playbooks.playbook_unsigned"
    exit_code = 1
    title = Text(
        "剧本未经签名,不得运行", "The playbook is not signed, and unsigned ones are not run"
    )
    remedy = Text(
        "请先导入(或引入随版本发布的剧本),再由另一位安全管理员批准;批准即签名。",
        "Import it (or adopt the packaged one), then have another person approve it: that signs.",
    )


class SignatureInvalid(Conflict):
    """A signature on the playbook does not fit its content, its version or its algorithm."""

    code = "playbooks.signature_invalid"
    exit_code = 1
    title = Text("剧本的签名不正确", "A signature of the playbook is not valid")
    remedy = Text(
        "请向剧本的发布者核实文件,不要使用该文件。",
        "Ask its publisher for the right file, and do not use this one.",
    )


class PlaybookRevoked(Conflict):
    """The playbook, or its signature, was taken back."""

    code = "playbooks.playbook_revoked"
    exit_code = 1
    title = Text("剧本或其签名已被撤销", "The playbook or its signature was revoked")
    remedy = Text("请使用剧本的新版本。", "Use a newer version of the playbook.")


class PlaybookNotInForce(Conflict):
    """The playbook's or its signature's time is over, or has not begun."""

    code = "playbooks.playbook_not_in_force"
    exit_code = 1
    title = Text("剧本或其签名不在有效期内", "The playbook or its signature is not in force now")
    remedy = Text("请使用剧本的新版本。", "Use a version whose time it is.")


class TooManyPlaybooks(Invalid):
    """The organisation's register is full."""

    code = "playbooks.too_many_playbooks"
    status = 422
    title = Text("剧本库已满", "The register of playbooks is full")
    remedy = Text("请先停用不再使用的剧本。", "Retire playbooks that are no longer used.")
