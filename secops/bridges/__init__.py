"""The glue between planes: one plane's port filled from another's service, events subscribed.

Also the operator's commands (``operate``, ``bench``) and the shell's own routes, which need
the whole house.
"""
