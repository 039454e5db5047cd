"""Syslog over streams (RFC 6587, RFC 5425 §4.3): a stream of bytes cut into messages."""
