"""What `upstream=` says, paired with the parameters that receive it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from millgate.declare.parameters import Parameters, Received
from millgate.errors import DeclarationError, did_you_mean
from millgate.model.asset import Asset, Declared, Input
from millgate.model.mapping import UpstreamMapping, Window

_FORMS = (
    'give a list of upstreams, or a dict such as {"week": Window(-6, 0, of="flights")} from '
    "parameter to a name, an asset, a Window, a dict of keys or an object with keys()"
)


class Referred(str):
    """The name of an upstream that was given as an object; empty until discovery names it."""

    target: Declared

    def __new__(cls, target: Declared) -> Referred:
        self = super().__new__(cls, target.name)
        self.target = target
        return self


@dataclass(frozen=True)
class Wanted:
    """One upstream as it was given: `parameter` is None in a list."""

    parameter: str | None
    upstream: str
    mapping: UpstreamMapping = None


def read_upstream(given: object, where: str) -> tuple[Wanted, ...]:
    """The upstreams that `upstream=` gives."""
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return tuple(_mapped(parameter, value, where) for parameter, value in given.items())
    if isinstance(given, Iterable) and not isinstance(given, str):
        return tuple(Wanted(None, _reference(each, where)) for each in given)
    raise DeclarationError(f"upstream={given!r} is no list or dict", where=where, fix=_FORMS)


def _mapped(parameter: object, value: object, where: str) -> Wanted:
    if not isinstance(parameter, str):
        raise DeclarationError(
            f"{parameter!r} in upstream= is no parameter's name", where=where, fix=_FORMS
        )
    if value is None:
        return Wanted(parameter, parameter)
    if isinstance(value, str | Declared):
        return Wanted(parameter, _reference(value, where))
    if isinstance(value, Window):
        upstream = parameter if value.of is None else _reference(value.of, where)
        return Wanted(parameter, upstream, replace(value, of=None))
    if isinstance(value, Mapping):
        _check_keys(parameter, value, where)
        return Wanted(parameter, parameter, value)
    if callable(getattr(value, "keys", None)) and not isinstance(value, type):
        of = getattr(value, "of", None)
        return Wanted(parameter, parameter if of is None else _reference(of, where), value)  # type: ignore[arg-type]
    raise DeclarationError(
        f"upstream={{{parameter!r}: {value!r}}} is no mapping", where=where, fix=_FORMS
    )


def _reference(given: object, where: str) -> str:
    if isinstance(given, Declared):
        return Referred(given)
    if isinstance(given, str) and given:
        return given
    raise DeclarationError(f"{given!r} is no upstream", where=where, fix=_FORMS)


def _check_keys(parameter: str, mapping: Mapping[object, object], where: str) -> None:
    """Raise unless `mapping` maps keys to keys, or dimensions to windows and maps of keys."""
    values = mapping.values()
    by_dimension = all(isinstance(v, Window | Mapping) for v in values)
    plain = all(
        isinstance(v, str) or (isinstance(v, list | tuple) and all(isinstance(k, str) for k in v))
        for v in values
    )
    if by_dimension and any(isinstance(v, Window) and v.of is not None for v in values):
        raise DeclarationError(
            f"a Window for one dimension of {parameter} cannot name another upstream",
            where=where,
            fix="leave of= out and name the parameter as the upstream",
        )
    if not mapping or not (by_dimension or plain) or not all(isinstance(k, str) for k in mapping):
        raise DeclarationError(
            f"the dict for {parameter} maps neither keys to keys nor dimensions to windows",
            where=where,
            fix='write {"EU": ["DE", "FR"]} or {"date": Window(-1, 0), "region": {"EU": "DE"}}',
        )


def pair(parameters: Parameters, wanted: Iterable[Wanted], where: str) -> tuple[Input, ...]:
    """An input for each parameter and each further upstream that is given.

    An object without a name yet keeps its empty `Referred` name until `settle`.
    """
    wanted = tuple(wanted)
    given = {_parameter(each): each for each in wanted}
    inputs = []
    for name, received in parameters.upstreams.items():
        each = given.get(name, Wanted(name, name))
        inputs.append(Input(name, each.upstream, each.mapping, received.form, received.optional))
    for each in wanted:
        name = _parameter(each)
        if name not in parameters.upstreams:
            received = _further(name, parameters, where)
            further = Input(name, each.upstream, each.mapping, received.form, received.optional)
            inputs.append(further)
    return tuple(inputs)


def _parameter(each: Wanted) -> str:
    return each.upstream if each.parameter is None else each.parameter


def _further(name: str, parameters: Parameters, where: str) -> Received:
    """How an upstream that no parameter names is received; raises where nothing receives it."""
    if name in parameters.names:
        raise DeclarationError(
            f"the parameter {name} takes no upstream, but upstream= names it",
            where=where,
            fix="an upstream's parameter has no default and is not a Partition",
        )
    if parameters.tables is None and not name:
        return Received()
    if parameters.tables is None:
        known = list(parameters.upstreams)
        raise DeclarationError(
            f"upstream= names {name}, which the function does not receive",
            where=where,
            fix=did_you_mean(name, known, f"add a parameter {name}, or **tables"),
        )
    return parameters.tables[1]


def settle(asset: Asset, name_of: Callable[[Declared], str]) -> tuple[Input, ...]:
    """The inputs of an asset with every upstream a plain name."""
    inputs: dict[str, Input] = {}
    for each in asset.inputs:
        name = each.upstream
        if each.parameter and type(name) is str:
            inputs[each.parameter] = each
            continue
        if isinstance(name, Referred):
            name = name_of(name.target)
        parameter = str(each.parameter or name)
        if each.parameter or parameter not in inputs:
            inputs[parameter] = replace(each, parameter=parameter, upstream=str(name))
        if not each.parameter and parameter not in {i.parameter for i in asset.inputs}:
            _check_received(parameter, asset)
    return tuple(inputs.values())


def _check_received(name: str, asset: Asset) -> None:
    if asset.tables_parameter is None:
        raise DeclarationError(
            f"upstream= names {name}, which the function does not receive",
            where=asset.defined_in,
            fix=did_you_mean(
                name, [i.parameter for i in asset.inputs], f"add a parameter {name}, or **tables"
            ),
        )
