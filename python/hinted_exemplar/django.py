"""``order_by`` as a Django expression.

Image.objects.order_by(HintedDistance("embedding", exemplar=x, hint=q))[:20]
"""

from __future__ import annotations

from typing import Any

from django.db.models import Expression, FloatField
from django.db.models.expressions import F

from .literals import ONE, SEVERAL, text


class HintedDistance(Expression):
    """``column <#> hinted_exemplar(table, column, ...)``; the arguments are those of SQL, vectors lists or arrays."""

    output_field = FloatField()

    def __init__(self, embedding: str, **arguments: Any) -> None:
        super().__init__()
        self.embedding = F(embedding)
        self.arguments = {name.rstrip("_"): value for name, value in arguments.items()}

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> HintedDistance:
        resolved = self.copy()
        resolved.embedding = self.embedding.resolve_expression(query, *args, **kwargs)
        return resolved

    def get_source_expressions(self) -> list:
        return [self.embedding]

    def set_source_expressions(self, expressions: list) -> None:
        (self.embedding,) = expressions

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        column, parameters = compiler.compile(self.embedding)
        field = self.embedding.target
        named = []
        values: list[Any] = [connection.ops.quote_name(field.model._meta.db_table), field.column]
        for name, value in self.arguments.items():
            kind = "::vector" if name in ONE else "::vector[]" if name in SEVERAL else ""
            named.append(f"{name} => %s{kind}")
            values.append(text(value) if name in ONE else [text(v) for v in value] if name in SEVERAL else value)
        call = f"hinted_exemplar({', '.join(['%s::regclass', '%s::name', *named])})"
        return f"({column} <#> {call})", [*parameters, *values]
