"""Holds OpenLineage events, a line each, to the classes that OpenLineage's client has made from the published schema."""

import importlib
import json
import pkgutil
import sys
import types
import typing
from collections import Counter
from enum import Enum

import attr
import openlineage.client.generated as generated
from openlineage.client.generated.base import RunEvent

EXPECTED = {"START": 6, "COMPLETE": 4, "FAIL": 1, "ABORT": 1}

MODULES = [
    importlib.import_module(f"{generated.__name__}.{module.name}")
    for module in pkgutil.iter_modules(generated.__path__)
]

#: Every class of the schema, by the address of its own part of it.
CLASSES = {
    cls._get_schema(): cls
    for module in MODULES
    for cls in vars(module).values()
    if isinstance(cls, type) and cls.__module__ == module.__name__ and hasattr(cls, "_get_schema")
}


def check(value, kind, place):
    """Refuses a value that is not of a type, at whatever depth."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        wanted = [one for one in arguments if one is not type(None)]
        require(len(wanted) == 1, place, f"the check does not know {kind}")
        check(value, wanted[0], place)
    elif origin is list:
        require(isinstance(value, list), place, "is not a list")
        for index, item in enumerate(value):
            check(item, arguments[0], f"{place}[{index}]")
    elif origin is dict:
        require(isinstance(value, dict), place, "is no object")
        for key, item in value.items():
            is_facet = isinstance(arguments[1], type) and arguments[1].__name__.endswith("Facet")
            (check_facet if is_facet else check)(item, arguments[1], f"{place}.{key}")
    elif kind is typing.Any:
        pass
    elif isinstance(kind, type) and issubclass(kind, Enum):
        require(value in [member.value for member in kind], place, f"is none of {kind.__name__}")
    elif attr.has(kind):
        check_object(value, kind, place)
    else:
        require(type(value) is kind, place, f"is {value!r}, which is no {kind.__name__}")


def check_facet(value, _kind, place):
    """A facet names its schema, by which its class is found; the class knows what must and can be in it."""
    cls = CLASSES.get(value.get("_schemaURL"))
    require(cls is not None, place, f"has the unknown schema {value.get('_schemaURL')}")
    require(value.get("_producer", "").startswith("urn:voucher-pipeline:"), place, "does not say who made it")
    check_object({key: item for key, item in value.items() if key not in ("_producer", "_schemaURL")}, cls, place)


def check_object(value, cls, place):
    require(isinstance(value, dict), place, "is no object")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in attr.fields(cls)}
    for name in value:
        require(name in fields, place, f"has {name}, which {cls.__name__} has not")
    for name, field in fields.items():
        if name in value:
            check(value[name], hints[name], f"{place}.{name}")
        else:
            require(field.default is not attr.NOTHING or not field.init, place, f"lacks {name}")
    # What the class itself checks: moments, addresses, UUIDs.
    for name, field in fields.items():
        if name in value and field.validator is not None:
            field.validator(None, field, value[name])


def require(condition, place, what):
    if not condition:
        raise SystemExit(f"{place} {what}")


def main(file):
    kinds = Counter()
    facets = Counter()
    with open(file, encoding="utf8") as lines:
        for number, line in enumerate(lines, 1):
            event = json.loads(line)
            kinds[event["eventType"]] += 1
            check_object(event, RunEvent, f"{file}:{number}")
            require(event["schemaURL"] == RunEvent._get_schema(), f"{file}:{number}", "names another schema")
            count_facets(event, facets)
    require(dict(kinds) == EXPECTED, file, f"has {dict(kinds)}, not {EXPECTED}")
    print(f"{sum(kinds.values())} events are as the schema of OpenLineage has them: {dict(kinds)}")
    print(", ".join(f"{name} {count}" for name, count in sorted(facets.items())))


def count_facets(part, facets):
    if isinstance(part, list):
        for item in part:
            count_facets(item, facets)
    elif isinstance(part, dict):
        for key, item in part.items():
            if isinstance(item, dict) and "_schemaURL" in item:
                facets[key] += 1
            count_facets(item, facets)


main(sys.argv[1])
