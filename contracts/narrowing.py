"""Narrowing: what a list has to be told so that it shows an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.casting import tenant_names
from contracts.paging import large_page
from contracts.pool import Item
from contracts.service import Caller
from mock_server.exchange.requests import value_schema
from mock_server.model.anatomy import words
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning
from mock_server.openapi.description import Parameter
from mock_server.openapi.values import Direction, Json

if TYPE_CHECKING:
    from contracts.trial import Trial


def values_for(
    trial: Trial, item: Item, operation_id: str, caller: Caller | None, *, large: bool
) -> dict[tuple[str, str], Json]:
    """What a list has to be told so that it shows an item: its parents, and the filters that are required or preset."""
    operation, meaning = trial.drafter.api.operation(operation_id), trial.roster.meaning(operation_id)
    scope = trial.roster.model.facts(meaning).scope
    values: dict[tuple[str, str], Json] = {("path", name): key for name, key in zip(scope, item.parents, strict=False)}
    values |= large_page(trial, operation_id) if large else {}
    filters = {known.parameter: known for known in meaning.listing.filters if known.operator in {"eq", "in"}}
    for parameter in operation.parameters:
        name, place = parameter.name, (parameter.location, parameter.name)
        if parameter.location != "query" or place in values or not _narrows(parameter, meaning):
            continue
        own = _own_tenant(trial, name, caller)
        if own is None and name not in filters:
            trial.give_up(f"{operation_id} wants {name}, and which value selects an item is not known")
        values[place] = own if own is not None else value_at(item.value, filters[name].property)
        if values[place] is None:
            trial.give_up(f"{operation_id} wants {name}, which the item does not show")
    return values


def _narrows(parameter: Parameter, meaning: Meaning) -> bool:
    """Whether a parameter narrows a list unless it is told otherwise: it is required, or a filter with a default."""
    if parameter.required:
        return True
    schema = value_schema(parameter)
    chooses = parameter.name in {*(known.parameter for known in meaning.listing.filters), meaning.listing.search}
    return chooses and schema is not None and "default" in schema.bundle(Direction.REQUEST)


def _own_tenant(trial: Trial, name: str, caller: Caller | None) -> Json:
    """The caller's tenant, where a name speaks of it or of the resource that tenants are; else None."""
    tenant = caller.tenant if caller is not None else None
    if tenant is None:
        return None
    if words(name) in tenant_names(trial.roster):
        return tenant
    qualified = trial.roster.called(name)
    items = trial.pool.items(trial.roster.resources[qualified].resource) if qualified is not None else []
    return next((item.typed_key for item in items if item.key == tenant), None)
