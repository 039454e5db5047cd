"""E-certificates (电子证照): templates, what may stand in them, and their page; pure."""
