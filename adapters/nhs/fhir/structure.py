"""Whether a resource plainly has the structure of R4, asked of schemas that are compiled from the R4 models.

The models are the judge of what we take, and say where it is wrong; they make an object of every element, which is most
of the work of reading a Bundle. A schema here has a model's own elements, required elements, choices and checks of
plain values, and makes nothing. It is never more lenient than its model. What it does not know (an extension beside a
plain value, a comment, a null, the model's own name of an element) it leaves to the model: it says yes, or nothing.

Source: FHIR R4 json (2.6.2) and choice of data types (2.6.0.2), as the models of `models.py` have them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Protocol, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as schema

from adapters.nhs.fhir.models import Json, model
from adapters.nhs.fhir.places import Place, places
from adapters.nhs.fhir.types import RESOURCE_TYPES


def is_plain(resource: Json) -> bool:
    """Whether the model of a resource surely takes it; False says nothing. Its `resourceType` is one of R4's."""
    try:
        return _compiled(model(resource["resourceType"])).isinstance_python(resource)
    except (AttributeError, LookupError, RecursionError, TypeError):  # a check of the models' own stumbles
        return False


@cache
def _compiled(root: type[BaseModel]) -> SchemaValidator:
    """The schema of a model and of what it holds; what stands apart has a schema of its own."""
    made: dict[type[BaseModel], CoreSchema] = {}
    waiting = [root]
    while waiting:
        cls = waiting.pop()
        if cls not in made:
            made[cls] = _object(cls)
            waiting += [place.holds for place in places(cls).values() if not _is_apart(cls, place) and place.holds]
    return SchemaValidator(
        schema.definitions_schema(schema.definition_reference_schema(root.__name__), [*made.values()])
    )


def _is_apart(cls: type[BaseModel], place: Place) -> bool:
    """Resources and extensions, which may hold anything, and what an extension holds: some fifty types, few used."""
    return place.resource or cls is model("Extension") or place.holds is model("Extension")


def _object(cls: type[BaseModel]) -> CoreSchema:
    rules = cast("_Rules", cls.model_construct())
    by_name = {field.alias or name: field for name, field in cls.model_fields.items()}
    needed = {name for name, _ in rules.get_required_fields()}
    elements = {
        name: schema.typed_dict_field(
            _element(cls, place, by_name[name]), required=name in needed or by_name[name].is_required()
        )
        for name, place in places(cls).items()
    }
    if rules.has_resource_base():
        elements["resourceType"] = schema.typed_dict_field(schema.literal_schema([cls.__name__]))
    found: Any = schema.typed_dict_schema(elements, extra_behavior="forbid")
    for fields in rules.get_one_of_many_fields().values():
        found = schema.no_info_before_validator_function(_choice(cls, fields), found)
    return cast("CoreSchema", found | {"ref": cls.__name__})  # under which whatever holds it refers to it


def _element(cls: type[BaseModel], place: Place, field: FieldInfo) -> CoreSchema:
    if place.holder is None:
        return _plain_value(field)
    if place.resource:
        one: CoreSchema = schema.no_info_plain_validator_function(_resource_within)
    elif _is_apart(cls, place):
        one = schema.no_info_plain_validator_function(_apart(place))
    else:
        one = schema.definition_reference_schema(place.holder.get_model_klass().__name__)
    return schema.list_schema(one) if place.many else one


def _plain_value(field: FieldInfo) -> CoreSchema:
    """The model's own check of a plain value, which is no null here."""
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return _of_kind(kind)


@cache
def _of_kind(kind: Any) -> CoreSchema:  # noqa: ANN401 - a type
    found = TypeAdapter[Any](kind).core_schema
    return found["schema"] if found["type"] == "nullable" else found


def _choice(cls: type[BaseModel], fields: list[str]) -> Callable[[Any], Any]:
    """A check that an object has one element of a choice, or none where it need not be made."""
    first = cls.model_fields[fields[0]].json_schema_extra
    least = 1 if isinstance(first, dict) and first["one_of_many_required"] is True else 0
    names = frozenset(cls.model_fields[field].alias or field for field in fields)

    def check(found: Any) -> Any:  # noqa: ANN401 - what was sent
        if not least <= len(names & found.keys()) <= 1:
            raise ValueError
        return found

    return check


def _apart(place: Place) -> Callable[[Any], Any]:
    """A check by the schema of the model that a place holds, compiled when the first of it comes."""

    def check(found: Any) -> Any:  # noqa: ANN401 - what was sent
        if place.holds is None or not _compiled(place.holds).isinstance_python(found):
            raise ValueError
        return found

    return check


def _resource_within(found: Any) -> Any:  # noqa: ANN401 - what was sent
    type_ = found.get("resourceType") if isinstance(found, dict) else None
    if not (isinstance(type_, str) and type_ in RESOURCE_TYPES and is_plain(found)):
        raise ValueError
    return found


class _Rules(Protocol):
    """What the models say of themselves beside their fields."""

    def has_resource_base(self) -> bool: ...

    def get_required_fields(self) -> list[tuple[str, str | None]]: ...

    def get_one_of_many_fields(self) -> dict[str, list[str]]: ...
