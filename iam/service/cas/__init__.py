"""The CAS 3.0 server for legacy portals: tickets, validation, single logout."""
