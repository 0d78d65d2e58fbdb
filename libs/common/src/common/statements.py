"""SQLAlchemy Core statements compiled once into what asyncpg runs: text, and values in order."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import (
    ARRAY,
    JSON,
    ClauseElement,
    ColumnElement,
    LargeBinary,
    SQLColumnExpression,
    String,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    or_,
)
from sqlalchemy import (
    cast as sql_cast,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

_WORD = re.compile(r"[A-Za-z0-9_.*/-]*")

type Processor = Callable[[Any], Any]

_DIALECT = asyncpg.dialect(  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    json_serializer=lambda value: msgspec.json.encode(value).decode(),
    json_deserializer=msgspec.json.decode,
)


class Compiled:
    """One statement, ready to be run any number of times."""

    __slots__ = ("_defaults", "_order", "_readers", "_writers", "text")

    def __init__(self, statement: ClauseElement) -> None:
        compiled = cast("PGCompiler", statement.compile(dialect=_DIALECT))
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._defaults: dict[str, Any] = dict(compiled.params)
        binds = compiled.binds
        self._writers = {
            name: writer
            for name in self._order
            if (writer := _writer(binds[name].type)) is not None
        }
        selected = getattr(statement, "exported_columns", ())
        readers = [_reader(c.type) for c in selected]
        self._readers = readers if any(readers) else []

    def values(self, params: Mapping[str, Any]) -> list[Any]:
        """Put named values into the order that the text counts in."""
        writers = self._writers
        defaults = self._defaults
        values = [params[n] if n in params else defaults[n] for n in self._order]
        if writers:
            for i, name in enumerate(self._order):
                if name in writers:
                    values[i] = writers[name](values[i])
        return values

    def row(self, record: Any) -> tuple[Any, ...]:  # noqa: ANN401 - asyncpg's Record is untyped
        """Turn a record into the Python values that the columns' types promise."""
        if not self._readers:
            return tuple(record)
        return tuple(
            value if read is None or value is None else read(value)
            for value, read in zip(record, self._readers, strict=True)
        )


_COMPILED: WeakKeyDictionary[ClauseElement, Compiled] = WeakKeyDictionary()


def compiled(statement: ClauseElement) -> Compiled:
    """Return ``statement`` compiled; the work is done once for each statement object."""
    known = _COMPILED.get(statement)
    if known is None:
        known = _COMPILED[statement] = Compiled(statement)
    return known


def _writer(kind: TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _reader(kind: TypeEngine[Any]) -> Processor | None:
    if isinstance(kind, JSON):
        return msgspec.json.decode  # SQLAlchemy would leave it to a codec on the connection
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def unnested(
    name: str, types: Mapping[str, TypeEngine[Any]], *, ordinality: str | None = None
) -> TableValuedAlias:
    """A table made of equally long array parameters, one column for each."""
    arrays = [bindparam(column_name, type_=ARRAY(kind)) for column_name, kind in types.items()]
    columns = [column(column_name, kind) for column_name, kind in types.items()]
    table = func.unnest(*arrays).table_valued(*columns, with_ordinality=ordinality, name=name)
    return table.render_derived()


def keys(**types: TypeEngine[Any]) -> TableValuedAlias:
    """Many requests as one table: a column for each parameter, and ``i``, the request's number.

    For ``Database.shared``: the statement selects ``i`` first and then its answer.
    """
    return unnested("k", types, ordinality="i")


def document(**members: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """A JSON object of these members, in this order, made by PostgreSQL."""
    return func.json_build_object(
        *[x for name, value in members.items() for x in (word(name), value)]
    )


def encoded(value: ColumnElement[Any]) -> ColumnElement[bytes]:
    """JSON as the bytes that go to the client undecoded."""
    return func.convert_to(sql_cast(value, Text), literal_column("'UTF8'"), type_=LargeBinary)


def instant(value: Any) -> ColumnElement[str]:  # noqa: ANN401 - a column or an expression
    """A time as RFC 3339 in UTC with ``Z``, microseconds included."""
    form: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
    return func.to_char(func.timezone(literal_column("'UTC'"), value), form, type_=Text)


def one_of(value: SQLColumnExpression[Any], *words: str) -> ColumnElement[bool]:
    """Whether ``value`` is one of ``words``, which are the code's own and not a caller's."""
    return or_(*[value == word(text) for text in words])


def word(text: str) -> ColumnElement[str]:
    """A constant of the code's own, written into the statement."""
    if not _WORD.fullmatch(text):
        raise ValueError(text)
    return literal_column(f"'{text}'", String)
