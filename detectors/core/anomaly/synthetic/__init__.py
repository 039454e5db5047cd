"""People, habits and attackers by seed: what the models are measured on. Nothing of it is real.

The same seed gives the same sign-ins. What is assumed stands in ``people`` and ``attackers``,
line by line, and in docs/manual/anomalies.md.
"""
