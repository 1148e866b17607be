"""What is so now: the time, who runs this, and the commit that the project's code is at."""

from __future__ import annotations

import getpass
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def present() -> datetime:
    """The aware present, in UTC."""
    return datetime.now(UTC)


def present_actor() -> str:
    """Who runs this: `MILLGATE_ACTOR` or the operating system's user."""
    return os.environ.get("MILLGATE_ACTOR") or getpass.getuser()


def code_version(root: Path) -> str | None:
    """The commit that the project's own git repository is at, `-dirty` where files differ."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
