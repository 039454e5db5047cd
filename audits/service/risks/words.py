"""The table of levels and its words, for pages and forms."""

from audits.core.gbt20984.table import CLOSABLE, DOUBT, EDITION, GRADES, MATRIX, THREATS, VERSION

__all__ = ["CLOSABLE", "DOUBT", "EDITION", "GRADES", "MATRIX", "THREATS", "VERSION"]
