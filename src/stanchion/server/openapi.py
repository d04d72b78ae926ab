"""The OpenAPI 3.1 document, made from the endpoints and their types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stanchion import __version__
from stanchion.server import wire
from stanchion.server.context import JSON
from stanchion.server.links import BASE, root
from stanchion.server.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.server.context import Endpoint

_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_REFERENCE: Final = "#/components/schemas/{name}"
_NUMBERS: Final = frozenset({"limit", "wait", "version", "window", "step", "slots", "quiet", "min", "max"})


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the document of these endpoints."""
    listed = list(endpoints)
    types = [kind for e in listed for kind in (e.body, e.reply) if kind is not None] + [wire.ProblemOut]
    unique = list(dict.fromkeys(types))
    shown, components = msgspec.json.schema_components(unique, schema_hook=_raw, ref_template=_REFERENCE)
    schemas = dict(zip(unique, shown, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in listed:
        paths.setdefault(BASE + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stanchion", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": root() or "/"}],
        "security": [{"key": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "stanchion_session"},
            },
        },
    }


def _raw(kind: type) -> dict[str, Any]:
    if kind is msgspec.Raw:
        return {}
    message = f"the schema of {kind.__name__} is not known"
    raise TypeError(message)


def _operation(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": _first_lines(endpoint),
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.scope is None:
        operation["security"] = []
    else:
        operation["x-scope"] = endpoint.scope
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[endpoint.body]}}}
    return operation


def _first_lines(endpoint: Endpoint) -> str:
    return (endpoint.call.__doc__ or endpoint.summary).strip()


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _VARIABLE.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": {"type": "number" if name in _NUMBERS else "string"}}
        for name in endpoint.params
    ]


def _responses(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    content = {} if endpoint.reply is None and endpoint.media == JSON else _content(endpoint, schemas)
    responses: dict[str, Any] = {str(endpoint.status): {"description": "Done", **content}}
    for status, text in endpoint.also.items():
        body = content if status in (200, 202) else {}
        responses[str(status)] = {"description": text, **body}
    problem = {"schema": schemas[wire.ProblemOut]}
    responses["default"] = {"description": "A problem", "content": {MEDIA_TYPE: problem}}
    return responses


def _content(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    schema: Any = schemas[endpoint.reply] if endpoint.reply is not None else {"type": "string"}
    return {"content": {endpoint.media: {"schema": schema}}}
