"""What the parameters of an asset's function ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from millgate.declare.annotation import ANYTHING, Scope, Spelled, signature_of, spelled
from millgate.errors import DeclarationError
from millgate.model.asset import Env, Form

_FORMS = {form.value: form for form in Form}
_PARTITION = "millgate.Partition"
_MANY = "list[millgate.Partition]"
_OTHERWISE_MANY = re.compile(r"[\w.]+\[millgate\.Partition(, Ellipsis)?\]")


@dataclass(frozen=True)
class Received:
    """The form in which a parameter receives an upstream, and whether it may receive None."""

    form: Form = Form.LAZY
    optional: bool = False


@dataclass(frozen=True)
class Parameters:
    """The parameters of a function by what they receive; `taken` are those with a default.

    `partition` receives the partition, or the list of them if it `takes_many`.
    """

    upstreams: Mapping[str, Received]
    partition: str | None
    takes_many: bool
    tables: tuple[str, Received] | None
    settings: Mapping[str, Env]
    taken: frozenset[str]
    returns_sql: bool

    @property
    def names(self) -> frozenset[str]:
        """Every parameter but `**tables`."""
        own = () if self.partition is None else (self.partition,)
        return self.taken.union(self.upstreams, own)


def read_parameters(function: Callable[..., Any], where: str) -> Parameters:
    """What each parameter receives; DeclarationError names one that cannot receive anything."""
    signature, scope = signature_of(function), Scope(function)
    upstreams: dict[str, Received] = {}
    settings: dict[str, Env] = {}
    partitions: dict[str, bool] = {}
    taken: set[str] = set()
    tables: tuple[str, Received] | None = None
    for name, parameter in signature.parameters.items():
        if parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.VAR_POSITIONAL):
            raise _only_by_name(name, parameter, where)
        annotation = spelled(parameter.annotation, scope)
        if annotation.members in ((_PARTITION,), (_MANY,)):
            partitions[name] = annotation.members == (_MANY,)
        elif isinstance(parameter.default, Env):
            settings[name] = parameter.default
            taken.add(name)
        elif parameter.default is not Parameter.empty:
            taken.add(name)
        elif parameter.kind is Parameter.VAR_KEYWORD:
            tables = name, _received(name, annotation, where)
        else:
            upstreams[name] = _received(name, annotation, where)
    if len(partitions) > 1:
        raise DeclarationError(
            f"the parameters {' and '.join(partitions)} both ask for the partition",
            where=where,
            fix="keep one of them",
        )
    returned = spelled(signature.return_annotation, scope)
    return Parameters(
        upstreams=upstreams,
        partition=next(iter(partitions), None),
        takes_many=any(partitions.values()),
        tables=tables,
        settings=settings,
        taken=frozenset(taken),
        returns_sql=returned == Spelled(("str",)),
    )


def _received(name: str, annotation: Spelled, where: str) -> Received:
    if annotation.members == (ANYTHING,):
        return Received(optional=annotation.optional)
    if any(_OTHERWISE_MANY.fullmatch(member) for member in annotation.members):
        raise DeclarationError(
            f"{name}: {annotation} is not how adjacent partitions are received",
            where=where,
            fix=f"annotate it as {name}: list[Partition]",
        )
    if len(annotation.members) != 1 or annotation.members[0] not in _FORMS:
        raise DeclarationError(
            f"nothing can be given to the parameter {name}: {annotation}",
            where=where,
            fix=f"annotate it as one of {', '.join(_FORMS)}, or Partition; "
            "or give it a default if it is no upstream",
        )
    return Received(_FORMS[annotation.members[0]], annotation.optional)


def _only_by_name(name: str, parameter: Parameter, where: str) -> DeclarationError:
    shown = f"*{name}" if parameter.kind is Parameter.VAR_POSITIONAL else f"{name}, /"
    return DeclarationError(
        f"the parameter {shown} cannot be given by name",
        where=where,
        fix="write it as a plain parameter; **tables takes any number of upstreams",
    )
