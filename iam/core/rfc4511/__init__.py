"""RFC 4511: the messages of LDAP version 3 that signing in needs."""
