"""Notices (通报): states of the issuer's side and of each unit's, deadlines, scores.

``workdays`` reckons working days; ``notice`` and ``delivery`` are the two state machines;
``deadlines`` says what is owed when; ``scoring`` is 考核.
"""
