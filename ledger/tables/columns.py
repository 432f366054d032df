"""How columns are spelt in every table."""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "pk": "pk_%(table_name)s",
}


def table(model: type[SQLModel]) -> Table:
    """Give the Core table behind a model, for set-wise statements."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def text(**options: Any) -> Any:
    """Make a text column."""
    return Field(sa_type=Text, **options)


def blob(**options: Any) -> Any:
    """Make a column for bytes."""
    return Field(sa_type=LargeBinary, **options)


def count() -> Any:
    """Make a column for a count that may pass 2^31."""
    return Field(sa_type=BigInteger)


def index_key(name: str) -> Any:
    """Make a primary key that is an index or size: 64 bits, and on SQLite the row id itself."""
    return Field(sa_column=Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False))
