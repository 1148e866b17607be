"""The nouns of Millgate as frozen dataclasses. No I/O, no third-party imports, nothing that runs
user code."""
