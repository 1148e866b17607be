"""A project's configuration: `[tool.millgate]` in its pyproject.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from millgate.errors import ProjectError, did_you_mean
from millgate.model.alert_settings import read_alerts, read_deadlines, read_on_event
from millgate.model.alerting import Alerting, Deadline, Route
from millgate.model.duration import parse_duration
from millgate.model.placement import Placement
from millgate.model.size import parse_size

_UNWRITABLE = frozenset("?\\")

_TABLES: Mapping[str, Callable[[object, str], Any]] = {
    "alerts": read_alerts,
    "on_event": read_on_event,
    "deadlines": read_deadlines,
}


@dataclass(frozen=True)
class Configuration:
    """`[tool.millgate]` in pyproject.toml; folders are relative to it."""

    name: str = ""
    assets: str = "assets"
    warehouse: str = "warehouse"
    quarantine: str = "quarantine"
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many steps of assets with a tag may run at a time."""
    retention: str = "30d"
    catalog_limit: str = "64 MB"
    executor: str = "threads"
    """Where steps run, unless a run says otherwise."""
    alerts: tuple[Route, ...] = ()
    """Which chat channels are told of what."""
    on_event: tuple[Route, ...] = ()
    """Which commands are told of what."""
    deadlines: tuple[Deadline, ...] = ()
    """How soon after their window partitions must be live."""

    def folders(self, root: Path) -> tuple[Path, Path]:
        """The warehouse and the quarantine of a project at `root`."""
        folders = root / self.warehouse, root / self.quarantine
        for folder in folders:
            if _UNWRITABLE & set(str(folder)):
                raise ProjectError(
                    "DuckDB cannot write below a folder with ? or \\ in its name",
                    where=str(folder),
                    fix="rename the folder, or set another one in [tool.millgate]",
                )
        return folders

    @property
    def alerting(self) -> Alerting:
        """Who is told of what."""
        return Alerting(self.name, (*self.alerts, *self.on_event), self.deadlines)

    @property
    def largest_catalog(self) -> int:
        """Bytes of a snapshot above which rows of its history move to files of their own."""
        where = "pyproject.toml, [tool.millgate], catalog_limit"
        return parse_size(self.catalog_limit, where)

    @property
    def kept_for(self) -> timedelta:
        """How long what is superseded stays."""
        return parse_duration(self.retention, where="pyproject.toml, [tool.millgate], retention")


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` whose pyproject.toml has `[tool.millgate]`."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if _is_file(file) and "millgate" in _toml(file).get("tool", {}):
            return folder
    raise ProjectError(
        "no Millgate project here",
        where=str(start),
        fix="millgate init DIR starts one; or go to its folder, or give --project DIR",
    )


def read_configuration(root: Path) -> Configuration:
    """The project's configuration; ProjectError names a key that is unknown or mistaken."""
    file = root / "pyproject.toml"
    given = _toml(file)["tool"]["millgate"]
    known = [f.name for f in fields(Configuration)]
    read: dict[str, Any] = {"name": root.name, **given}
    for key, value in given.items():
        if key not in known:
            raise ProjectError(
                f"unknown setting {key!r}",
                where=f"{file}, [tool.millgate]",
                fix=did_you_mean(key, known, f"settings are {', '.join(known)}"),
            )
        if key in _TABLES:
            read[key] = _TABLES[key](value, str(file))
        elif key == "limits":
            _check_limits(value, file)
        elif not isinstance(value, str) or not value:
            raise ProjectError(
                f"{key} = {value!r} is not text",
                where=f"{file}, [tool.millgate]",
                fix=f'write it in quotes, such as {key} = "{key}"',
            )
        elif key == "executor":
            Placement.parse(value, where=f"{file}, [tool.millgate]")
    return Configuration(**read)


def _check_limits(given: object, file: Path) -> None:
    numbers = given.values() if isinstance(given, dict) else [None]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ProjectError(
            f"limits = {given!r} does not give tags whole numbers above 0",
            where=f"{file}, [tool.millgate]",
            fix='write limits = {"api" = 2}',
        )


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"pyproject.toml cannot be read: {error.strerror}",
        where=str(file),
        fix="let this user read it and the folders that it is in, or go to another folder",
    )


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(file, error) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"pyproject.toml cannot be read: {error}", where=str(file), fix="mend the TOML"
        ) from error
