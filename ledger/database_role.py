"""
The database role that the program works under on PostgreSQL: it adds to the log and can do nothing else to it, not even without the triggers.

Triggers bind whoever respects them; the owner of a table may drop them. So the tables belong to one role, which runs `shouwang init` and
`shouwang database-role NAME` and is then put away, and the program connects as NAME:

    tables.APPEND_ONLY           SELECT, INSERT: the log, and who looked at people's data
    schema version               SELECT
    every other table            SELECT, INSERT, UPDATE, DELETE
    ownership, triggers, TRUNCATE, new tables, other roles' rights: none

SQLite has no roles: there the file's permissions are all there is. After an upgrade that adds tables, `database-role` is run again.
"""

import re

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import SQLModel

from ledger import tables
from ledger.database import open_engine, write_transaction
from ledger.errors import InvalidRequest, NotAllowed, SettingsError
from ledger.settings import Settings
from ledger.tables import table

_UNDEFINED_TABLE, _INSUFFICIENT_PRIVILEGE = "42P01", "42501"
"""SQLSTATE (PostgreSQL's appendix A): so the driver is loaded only where there is PostgreSQL."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOG = sorted(table(model).name for model in tables.APPEND_ONLY)
# Rights held by a role count for all its members, who may become it: superusers are members of every role.
_CHANGEABLE = text("""
    SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles r
    WHERE n.nspname = current_schema() AND c.relname = ANY(:names) AND pg_has_role(CAST(:role AS name), r.oid, 'MEMBER')
    AND (r.rolsuper OR r.rolcreaterole OR r.oid IN (c.relowner, n.nspowner) OR has_any_column_privilege(r.oid, c.oid, 'UPDATE')
         OR has_table_privilege(r.oid, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'))
    ORDER BY 1""")
_log = structlog.get_logger()


def restrict_role(settings: Settings, name: str) -> None:
    """
    Make the role, or bring its rights to what they should be, connected as the owner of the tables. Safe to repeat.

    It may log in; how it proves who it is (a password, a certificate, the socket's user) is for the database's administrator to set.

    Raises:
        InvalidRequest: no PostgreSQL, no usable name, or the name of the role that is connected.
        NotAllowed: the role that is connected does not own the tables or may not make roles.
        SettingsError: there is no schema yet, or the role would still have rights from elsewhere. Nothing is changed then.
    """
    if not settings.database_url.startswith("postgresql"):
        raise InvalidRequest("SQLite 没有账号之分，请用文件权限保护数据库；受限账号只用于 PostgreSQL（SHOUWANG_DATABASE_URL）")
    if not _NAME.fullmatch(name):
        raise InvalidRequest("账号名只能用小写字母、数字和下划线，不以数字开头，最多 63 个")
    engine = open_engine(settings.database_url)
    try:
        with write_transaction(engine) as connection:
            _restrict(connection, name)
    except ProgrammingError as error:
        sqlstate = getattr(error.orig, "sqlstate", None)
        if sqlstate == _UNDEFINED_TABLE:
            raise SettingsError("数据库里还没有账本，或结构是旧的。请先以所有者账号运行 shouwang init") from error
        if sqlstate == _INSUFFICIENT_PRIVILEGE:
            raise NotAllowed("现在连接数据库的账号不是这些表的所有者，或无权新建账号。请换所有者账号再运行") from error
        raise
    finally:
        engine.dispose()


def _restrict(connection: Connection, name: str) -> None:
    if connection.execute(text("SELECT current_user")).scalar_one() == name:
        raise InvalidRequest(f"{name} 就是现在连接的所有者账号。请给程序另取一个账号名")
    if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first() is None:
        connection.exec_driver_sql(f'CREATE ROLE "{name}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE')
    schema, database = connection.execute(text("SELECT quote_ident(current_schema()), quote_ident(current_database())")).one()
    others = sorted(set(SQLModel.metadata.tables) - set(_LOG))
    for statement in (
        f'GRANT CONNECT ON DATABASE {database} TO "{name}"',
        f'REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, "{name}"',  # such a table could stand in for one of the log
        f'REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, "{name}"',
        f'GRANT USAGE ON SCHEMA {schema} TO "{name}"',
        f'REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, "{name}"',
        f'GRANT SELECT, INSERT ON {_listed(_LOG)} TO "{name}"',
        f'GRANT SELECT ON alembic_version TO "{name}"',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON {_listed(others)} TO "{name}"',
    ):
        connection.exec_driver_sql(statement)
    if still := changeable_tables(connection, name):
        raise SettingsError(f"账号 {name} 从别处还有改动 {'、'.join(still)} 的权利（超级用户，或属于别的角色）。请换一个新的账号名")


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def changeable_tables(connection: Connection, role: str | None = None) -> list[str]:
    """List the tables of the log that a role (None: the one connected) could change or take the triggers from. On SQLite none is told."""
    if connection.dialect.name != "postgresql":
        return []
    name = role or connection.execute(text("SELECT current_user")).scalar_one()
    return list(connection.execute(_CHANGEABLE, {"role": name, "names": _LOG}).scalars())


def check_role(connection: Connection, *, required: bool) -> None:
    """Say at start-up that the connected role could change the log; where a restricted one is *required*, refuse. Raises SettingsError."""
    found = changeable_tables(connection)
    if not found:
        return
    if required:
        raise SettingsError(
            f"现在连接数据库的账号有权改动账本（{'、'.join(found)}），而 SHOUWANG_REQUIRE_RESTRICTED_ROLE 要求受限账号。"
            "请以所有者账号运行 shouwang database-role 账号名，再让程序改用那个账号"
        )
    _log.warning("database.role_may_change_log", tables=found, mend="shouwang database-role NAME")
