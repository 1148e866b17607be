"""`python -m millgate`."""

import sys

from millgate.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
