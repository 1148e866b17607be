"""The command line: parses arguments, asks the project, renders what it answers. Holds no
decisions of its own."""
