"""Alembic's entry point: the URL is given by `ledger.migrating`, the tables by `ledger.tables`."""

from alembic import context
from sqlmodel import SQLModel

from ledger import tables
from ledger.database import open_engine

assert tables.LOG, "importing the tables registers them"

engine = open_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    if connection.in_transaction():
        connection.commit()
engine.dispose()
