"""`python -m millgate`."""

from millgate.cli.main import main

if __name__ == "__main__":
    main()
