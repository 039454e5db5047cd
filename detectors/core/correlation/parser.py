"""Correlation documents (Sigma correlations 2.1) as typed values.

Supported: ``event_count`` with a rising condition (gt, gte). Every other type is refused by
name, so that nobody believes it watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)

from detectors.core.correlation.model import Alias, Correlation
from detectors.models.rules import RuleHeader
from secops.kernel.clock import SECOND

_RISING: Final = {
    SigmaCorrelationConditionOperator.GTE: 0,
    SigmaCorrelationConditionOperator.GT: 1,
}


class NotSupportedYet(ValueError):
    """A correlation of the specification that this version does not evaluate."""


def parse_correlation(content: Mapping[str, Any], header: RuleHeader) -> Correlation:
    """Return the correlation in ``content``.

    Raises ``SigmaError`` where pySigma objects, ``NotSupportedYet`` for what we can't do.
    """
    parsed = SigmaCorrelationRule.from_dict(dict(content))
    if parsed.type is not SigmaCorrelationType.EVENT_COUNT:
        msg = f"correlations of type {str(parsed.type).lower()} are not supported yet"
        raise NotSupportedYet(msg)
    condition = parsed.condition
    if not isinstance(condition, SigmaCorrelationCondition) or condition.op not in _RISING:
        msg = "event_count conditions other than gt and gte are not supported yet"
        raise NotSupportedYet(msg)
    if not isinstance(condition.count, int):
        msg = "event_count compares with a whole number"
        raise NotSupportedYet(msg)
    return Correlation(
        header=header,
        type="event_count",
        rules=tuple(reference.reference for reference in parsed.rules or ()),
        group_by=tuple(parsed.group_by or ()),
        timespan=int(parsed.timespan.seconds) * SECOND,
        least=max(1, condition.count + _RISING[condition.op]),
        aliases=tuple(
            Alias(alias.alias, {ref.reference: name for ref, name in alias.mapping.items()})
            for alias in parsed.aliases
        ),
        generate=parsed.generate,
    )
