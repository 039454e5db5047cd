"""From a name to a session: factors, counting of failures, risk, sessions."""
