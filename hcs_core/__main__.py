"""`python -m hcs_core` is `hcs`."""

from hcs_core.cli import main

main()
