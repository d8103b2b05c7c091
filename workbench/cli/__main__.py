"""``python3 -m workbench.cli``: the command line without setting up an environment."""

from __future__ import annotations

import sys

from workbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
