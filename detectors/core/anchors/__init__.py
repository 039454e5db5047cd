"""Anchors: what rules and searches ask of a log store, and what the store keeps for that.

``shadow`` says what is kept of an event, ``rules`` and ``queries`` what is asked. Kept and
asked texts are folded the same way, fields go by the same key.
"""
