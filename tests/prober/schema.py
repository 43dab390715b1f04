"""What the OpenAPI schema of an API adds to the walked addresses: its parameters and the documents it takes.

There is nothing to switch on: when ``/api/schema/`` is served, the prober reads it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.test import Client

from tests.prober.routes import Route, kind_of, routes
from tests.prober.world import CannotFill, Side

__all__ = ["SCHEMA_URL", "all_routes", "with_schema"]

SCHEMA_URL: Final = "/api/schema/"
_WRITES: Final = ("post", "put", "patch", "delete")
_SAMPLES: Final[Mapping[str, object]] = {"integer": 1, "number": 1, "boolean": True, "object": {}, "null": None}


def all_routes(side: Side) -> list[Route]:
    """Every address of the product; those of an API with what its schema says they take."""
    walked = routes()
    if not any(f"/{route.pattern}" == SCHEMA_URL for route in walked):
        return walked
    answer = Client().get(SCHEMA_URL, headers={"Accept": "application/vnd.oai.openapi+json"})
    return with_schema(walked, answer.json(), side)


def with_schema(walked: Iterable[Route], schema: Mapping[str, Any], side: Side) -> list[Route]:
    """The walked routes with the queries and documents of the schema's operations.

    A path of the schema that no route serves is an error: then one of the two is not true.
    """
    by_shape = {_shape(route): route for route in walked}
    for path, item in schema["paths"].items():
        shape = tuple("*" if part.startswith("{") else part for part in path.strip("/").split("/"))
        if shape not in by_shape:
            raise CannotFill(f"The schema names {path}, which no route serves.")
        by_shape[shape] = _with_operations(by_shape[shape], item, schema, side)
    return list(by_shape.values())


def _shape(route: Route) -> tuple[str, ...]:
    parts = route.url({slot.name: "*" for slot in route.slots}).strip("/").split("/")
    return tuple(parts)


def _with_operations(route: Route, item: Mapping[str, Any], schema: Mapping[str, Any], side: Side) -> Route:
    asked = [*item.get("parameters", []), *item.get("get", {}).get("parameters", [])]
    queries = tuple(each["name"] for each in asked if each["in"] == "query")
    bodies = {}
    for method in _WRITES:
        content = item.get(method, {}).get("requestBody", {}).get("content", {})
        if "application/json" in content:
            document = _sample("", content["application/json"]["schema"], schema, route, side)
            bodies[method.upper()] = document if isinstance(document, dict) else {}
    return replace(route, queries=queries, bodies=bodies)


def _sample(name: str, part: Mapping[str, Any], schema: Mapping[str, Any], route: Route, side: Side) -> object:
    """A value that a schema accepts. An id is one of the tenant's own rows, of the kind that its name says."""
    if "$ref" in part:
        part = _resolved(part["$ref"], schema)
    if "enum" in part:
        return part["enum"][0]
    kind = part.get("type")
    if kind == "array":
        # Three, of which the prober makes one a foreign one: the others may be acted on.
        return _several(name.removesuffix("s"), part.get("items", {}), schema, route, side)
    if kind == "object" or "properties" in part:
        properties: Mapping[str, Any] = part.get("properties", {})
        return {each: _sample(each, inner, schema, route, side) for each, inner in properties.items()}
    return _plain(name, part, route, side)


def _plain(name: str, part: Mapping[str, Any], route: Route, side: Side) -> object:
    if part.get("format") == "uuid":
        return str(side.id(kind_of(name, route.view, side), 0))
    if part.get("type") == "string":
        return side.canaries.number(0) if name in ("to", "number", "phone") else "Some text"
    return _SAMPLES.get(str(part.get("type")), "Some text")


def _several(
    name: str, part: Mapping[str, Any], schema: Mapping[str, Any], route: Route, side: Side
) -> Sequence[object]:
    if part.get("format") == "uuid":
        kind = kind_of(name, route.view, side)
        return [str(side.id(kind, n)) for n in range(3)]
    return [_sample(name, part, schema, route, side)]


def _resolved(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]
