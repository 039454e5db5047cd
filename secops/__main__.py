"""``python -m secops``."""

from secops.cli import main

main()
