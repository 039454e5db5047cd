"""Terminal mechanics, once: sessions, JSON and tables, progress, exit codes."""
