"""``ORDER BY`` as a typed SQLAlchemy expression.

select(Image).order_by(distance(Image.embedding, exemplar=x, hints=[q])).limit(20)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, bindparam, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.expression import cast
from sqlalchemy.types import UserDefinedType

from .literals import ONE, SEVERAL, text


class Vector(UserDefinedType):
    """pgvector's type, for parameters; any sequence of numbers is one."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "vector"

    def bind_processor(self, _dialect: Any) -> Any:
        return text


class Vectors(UserDefinedType):
    """An array of them; an element may be None."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "vector[]"

    def bind_processor(self, _dialect: Any) -> Any:
        return lambda rows: None if rows is None else [text(row) for row in rows]


class _Argument(ColumnElement):
    """An argument given by name."""

    inherit_cache = False

    def __init__(self, name: str, value: ColumnElement) -> None:
        self.name, self.value, self.type = name, value, value.type

    def self_group(self, against: Any = None) -> _Argument:
        return self


@compiles(_Argument)
def _argument(element: _Argument, compiler: Any, **options: Any) -> str:
    return f"{element.name} => {compiler.process(element.value, **options)}"


def weights(embedding: Any, **arguments: Any) -> ColumnElement:
    """``hinted_exemplar(table, column, ...)`` of a mapped column; the arguments are those of SQL.

    Vectors may be lists or arrays, or SQL expressions.
    """
    column = embedding.expression if hasattr(embedding, "expression") else embedding
    table = column.table
    name = f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'
    named = [_Argument(name.rstrip("_"), _value(name.rstrip("_"), value)) for name, value in arguments.items()]
    return func.hinted_exemplar(cast(name, _Regclass()), cast(column.name, _Name()), *named, type_=Vector())


def _value(name: str, value: Any) -> ColumnElement:
    if hasattr(value, "__clause_element__"):
        return value.__clause_element__()
    if isinstance(value, ColumnElement):
        return value
    kind = Vector() if name in ONE else Vectors() if name in SEVERAL else None
    parameter = bindparam(None, value, type_=kind, unique=True)
    return parameter if kind is None else cast(parameter, kind)


def distance(embedding: Any, **arguments: Any) -> ColumnElement:
    """``column <#> hinted_exemplar(...)``: order by it, ascending, with a limit."""
    return embedding.op("<#>", return_type=Float())(weights(embedding, **arguments))


class _Regclass(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "regclass"


class _Name(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "name"
