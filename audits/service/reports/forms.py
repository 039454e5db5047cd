"""The form of a report that a request names."""

from __future__ import annotations

from collections.abc import Iterable

from audits.models.forms import FORMS, Form
from secops.kernel.errors import Invalid


def form_named(wanted: str, forms: Iterable[Form] = FORMS) -> Form:
    """Return the one of ``forms`` that is called ``wanted``; raise ``Invalid``."""
    known = tuple(forms)
    found = next((form for form in known if form == wanted), None)
    if found is None:
        raise Invalid(f"the form is {' or '.join(known)}")
    return found
