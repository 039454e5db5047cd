"""Words that every plane shares. Imports no plane, no web framework, no driver."""
