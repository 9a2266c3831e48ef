"""Pydantic's complaints as lines that a technician can act on: file, key and remedy."""

import difflib
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from cabinet.config.whole import Config


def plain(path: Path, fault: Any) -> str:  # noqa: ANN401  pydantic's ErrorDetails
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _keys_at(fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"{path}: {where}: unknown key; {remedy}"
    if fault["type"] == "missing":
        return f"{path}: {where}: is missing; add it"
    message = fault["msg"].removeprefix("Value error, ")
    given = fault.get("input")
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {where or 'the file'}: {message}{shown}"


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    kind: Any = Config
    for part in loc:
        if isinstance(part, int):
            continue
        fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
        kind = inner_model(fields[part].annotation) if part in fields else kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return list(getattr(kind, "__dataclass_fields__", {}))


def inner_model(annotation: Any) -> Any:  # noqa: ANN401  a type expression
    """The model inside Optional[...], list[...] or Annotated[...]."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation
    for argument in (
        get_args(annotation) if get_origin(annotation) is not None or isinstance(annotation, UnionType) else ()
    ):
        inner = inner_model(argument)
        if isinstance(inner, type) and (issubclass(inner, BaseModel) or hasattr(inner, "__dataclass_fields__")):
            return inner
    return annotation
