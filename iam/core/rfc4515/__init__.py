"""RFC 4515: the string form of LDAP search filters."""
