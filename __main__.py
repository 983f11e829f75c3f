"""Run the command line with ``python -m synthmark``."""

from .cli import main

main()
