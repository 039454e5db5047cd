"""The revisions, in order of their numbers; each plane owns one file."""
