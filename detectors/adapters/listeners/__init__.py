"""Sockets that hear syslog: UDP, TCP and TLS, on IPv4 and IPv6.

``sockets`` opens them, ``streams`` accepts connections, ``pump`` hands what is heard to the
durable intake and holds back whoever is too quick, ``syslog`` is the port ``Listeners`` over all.
"""
