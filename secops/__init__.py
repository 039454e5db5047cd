"""govsecops: the service that keeps a local government's digital platform safe.

Five planes (iam, kms, detectors, playbooks, audits) stand beside this shell;
only the shell knows them all. Start reading at ``secops/app.py``.
"""
