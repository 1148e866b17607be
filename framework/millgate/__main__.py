"""`millgate`, and `python -m millgate`."""

import signal
import sys

# Until there is a command to interrupt, Ctrl-C ends the process as it ends any other program.
_python_s = signal.signal(signal.SIGINT, signal.SIG_DFL)

from millgate.cli.main import main as _main  # noqa: E402


def main() -> int:
    """Carry out the command line of this process; returns its exit status."""
    signal.signal(signal.SIGINT, _python_s)
    return _main()


if __name__ == "__main__":
    sys.exit(main())
