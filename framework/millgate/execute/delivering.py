"""Delivering messages: every channel in processes of its own, side by side, within a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from millgate.execute import posting
from millgate.model.alerting import ENVIRONMENT, Channel, Chat, Hook

CHAT_LIMIT = timedelta(seconds=10)
"""How long all the messages of one chat channel may take; what is left waits for the next run."""
_LONGEST_ERROR = 300


@dataclass(frozen=True)
class Post:
    """One message: as a chat shows it, and the document that a hook is given instead."""

    title: str
    body: str
    type: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a message; one that was not tried has no outcome."""

    error: str | None

    @property
    def is_sent(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class _Ended:
    """A process that has ended: its exit status, None if it had to be ended, and what it wrote."""

    status: int | None
    out: str
    err: str


def deliver(
    posts: Mapping[str, Sequence[Post]], channels: Mapping[str, Channel], root: Path
) -> dict[str, list[Outcome]]:
    """Send messages by channel; returns for each the outcomes of the first so many.

    Takes no longer than the slowest channel may.
    """
    with ThreadPoolExecutor(max(len(posts), 1), thread_name_prefix="millgate-tell") as pool:
        futures = {
            name: pool.submit(_deliver, channels[name], own, root) for name, own in posts.items()
        }
        return {name: future.result() for name, future in futures.items()}


def _deliver(channel: Channel, posts: Sequence[Post], root: Path) -> list[Outcome]:
    if isinstance(channel, Chat):
        return _chat(channel, posts, root)
    return _hook(channel, posts, root)


def _chat(chat: Chat, posts: Sequence[Post], root: Path) -> list[Outcome]:
    url = chat.url
    if url.startswith(ENVIRONMENT):
        variable = url.removeprefix(ENVIRONMENT)
        url = os.environ.get(variable, "")
        if not url:
            return [Outcome(f"the environment variable {variable} is not set")]
    given = {
        "url": url,
        "posts": [{"title": p.title, "body": p.body, "type": p.type} for p in posts],
    }
    ended = _run([sys.executable, "-P", posting.__file__], given, root, CHAT_LIMIT)
    outcomes = [Outcome(json.loads(line)) for line in ended.out.splitlines()]
    if len(outcomes) < len(posts) and all(o.is_sent for o in outcomes):
        late = f"no answer within {CHAT_LIMIT.seconds} s"
        outcomes.append(Outcome(late if ended.status is None else "the sender broke off"))
    return outcomes


def _hook(hook: Hook, posts: Sequence[Post], root: Path) -> list[Outcome]:
    """Run the command for each document, no new one once the limit is over."""
    outcomes: list[Outcome] = []
    until = time.monotonic() + hook.limit.total_seconds()
    for post in posts:
        if outcomes and time.monotonic() > until:
            break
        outcomes.append(Outcome(_hooked(hook, post.document, root)))
    return outcomes


def _hooked(hook: Hook, document: Mapping[str, Any], root: Path) -> str | None:
    try:
        ended = _run(hook.command, document, root, hook.limit)
    except (OSError, ValueError) as error:
        return f"it cannot be started: {getattr(error, 'strerror', None) or error}"
    if ended.status is None:
        return f"it was ended after {hook.limit.total_seconds():g} s"
    last = next(iter(ended.err.strip().splitlines()[-1:]), "")
    return f"exit {ended.status}: {last}"[:_LONGEST_ERROR].rstrip(": ") if ended.status else None


def _run(command: Sequence[str], given: Mapping[str, Any], root: Path, limit: timedelta) -> _Ended:
    """Run a command in the project's folder; what it began is ended with it at the limit.

    Files instead of pipes: what it leaves running in the background is not waited for.
    """
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(json.dumps(given).encode())
        stdin.seek(0)
        process = subprocess.Popen(
            list(command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=root,
            start_new_session=True,
        )
        status: int | None = None
        try:
            status = process.wait(limit.total_seconds())
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for file in (stdout, stderr):
            file.seek(0)
        return _Ended(
            status, stdout.read().decode(errors="replace"), stderr.read().decode(errors="replace")
        )
