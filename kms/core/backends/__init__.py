"""Rules of key backends: where a new key goes, and when a failing backend is asked again."""
