"""The engine: decides each question once per distinct value, then trees on candidates only."""
