"""What is refused to persons who take part in a run."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid


class ResultRefused(Invalid):
    """A step's result is not of the type that its variable has; nothing was written down."""

    code = "playbooks.result_refused"
    status = 422
    exit_code = 2
    title = Text("步骤结果的格式不正确", "A result of the step is of the wrong type")
    remedy = Text(
        "请按步骤说明重新填写:integer 填整数,bool 填 true 或 false。",
        "Write it as the step asks: integer is a whole number, bool is true or false.",
    )
