"""A program: sends the messages of one chat channel by apprise.

It reads `{"url": ..., "posts": [{"title", "body", "type"}, ...]}` from its standard input and
writes for each message that was tried a line of JSON, null or why it was not sent; it stops at
the first of these. In a process of its own it can be ended at any time, and what apprise costs
to import is paid only where there is something to send. It imports nothing of Millgate.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping

MISSING = "apprise is not installed: pip install 'millgate[alerts]'"
_CONNECT_S = 2.0
"""How long an address that does not answer is waited for, unless the URL says cto=."""
_SECRET = 4
"""Parts of a URL from this length on are not repeated in an error."""


class _Heard(logging.Handler):
    """Keeps what apprise warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def main() -> None:
    given = json.load(sys.stdin)
    for post in given["posts"]:
        error = _sent(given["url"], post)
        print(json.dumps(error), flush=True)
        if error is not None:
            break


def _sent(url: str, post: Mapping[str, str]) -> str | None:
    """None once a message is sent, else why not."""
    try:
        import apprise
    except ImportError:
        return MISSING
    heard = _Heard()
    log = logging.getLogger("apprise")
    log.addHandler(heard)
    log.propagate = False
    asset = apprise.AppriseAsset(app_id="Millgate", app_desc="Millgate", image_url_mask="")
    # One object for each message: apprise makes a second message of the same wait.
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        return _masked(heard.last, url) or "apprise does not know this kind of URL"
    if "cto=" not in url:
        service.socket_connect_timeout = _CONNECT_S
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    sent = sender.notify(
        title=post["title"],
        body=post["body"],
        notify_type=apprise.NotifyType(post["type"]),
        body_format=apprise.NotifyFormat.TEXT,
        interpret_escapes=False,
    )
    return None if sent else _masked(heard.last, url) or "it was not accepted"


def _masked(text: str, url: str) -> str:
    """`text` without any part of a URL, which may be a password or a token.

    >>> _masked("cannot post to /hooks/tok123", "mmost://chat/tok123")
    'cannot post to /hooks/***'
    """
    rest = url.partition("://")[2]
    for part in sorted(re.split(r"[/:@?&=]+", rest), key=len, reverse=True):
        if len(part) >= _SECRET:
            text = text.replace(part, "***")
    return text.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    main()
