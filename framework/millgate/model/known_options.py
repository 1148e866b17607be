"""Options of what users write: a mistyped one is told with those that are close."""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar

from millgate.errors import DeclarationError, did_you_mean

T = TypeVar("T")


def known_only(cls: type[T]) -> type[T]:
    """A class that refuses an unknown option with a DeclarationError that names close ones."""
    begin = cls.__init__
    _, *parameters = signature(begin).parameters.values()
    known = [p.name for p in parameters if p.kind is not Parameter.VAR_POSITIONAL]

    @wraps(begin)
    def checked(self: T, *given: Any, **options: Any) -> None:
        for name in options:
            if name not in known:
                own = type(self).__name__
                raise DeclarationError(
                    f"{name} is not an option of {own}",
                    where=own,
                    fix=did_you_mean(name, known, f"options are {', '.join(known)}"),
                )
        begin(self, *given, **options)

    cls.__init__ = checked  # type: ignore[method-assign, assignment]
    return cls
