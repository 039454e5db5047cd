"""Catalogues of control items, as data."""
