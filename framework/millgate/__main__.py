"""`python -m millgate`."""

from millgate.cli.main import leave

if __name__ == "__main__":
    leave()
