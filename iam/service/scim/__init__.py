"""The SCIM 2.0 server (RFC 7643, 7644): personnel systems create, change and end accounts.

Only what was provisioned is seen. Groups are lists, never roles; administrators are out of
reach; passwords are neither taken nor returned. ``scim2_models`` is imported where it is used.
"""
