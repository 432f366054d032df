"""On PostgreSQL the program works under a role that can add to the log and do nothing else to it, whoever took the triggers away."""

import uuid

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from structlog.testing import capture_logs
from world import World

from ledger import history, tables
from ledger.database import open_engine
from ledger.database_role import changeable_tables, restrict_role
from ledger.errors import InvalidRequest, NotAllowed, SettingsError
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import create_ledger, open_ledger
from ledger.tables import table

LOG = sorted(table(model).name for model in tables.APPEND_ONLY)
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def roles(postgres_server):
    """Make names for roles; the roles are dropped with all they were given."""
    made = []

    def name():
        made.append(f"clerk_{uuid.uuid4().hex[:12]}")
        return made[-1]

    yield name
    address = make_url(postgres_server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        for role in made:
            if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
def town(roles, postgres_url, tmp_path):
    """A town whose tables belong to the server's owner, and which works under a restricted role."""
    owned = World(tmp_path, postgres_url())
    owned.town()
    owned.sign()
    owned.close()
    name = roles()
    restrict_role(owned.settings, name)
    town = World(tmp_path, as_role(owned.settings.database_url, name), "2025-02-10 09:00")
    town.owner, town.role, town.people = owned, name, owned.people
    yield town
    town.check()
    town.close()
    owned.sql(f"DROP OWNED BY {name}")


def as_role(url, name):
    return make_url(url).set(username=name).render_as_string(hide_password=False)


def test_the_restricted_role_runs_the_whole_ledger(town):
    """Append, project, park, sign, remake, look back, verify: `check` at the end does it all once more."""
    person = town.volunteer()
    served = town.serve(person, "2025-02-08 09:00", "11:00")
    town.approve(served.index)
    town.correct(served.index, "2025-02-08 09:00", "10:00")
    town.rotate()
    assert town.sign()
    town.publish_rates(2025)
    town.grow(260)
    assert town.sign()
    assert history.rebuild(town.ledger, OPERATOR) == 260
    assert town.as_known(200, 2025)
    with capture_logs() as said:
        town.another()
    assert said == []


def test_it_cannot_change_the_log_though_the_owner_dropped_the_triggers(town):
    before = {name: sorted(town.sql(f"SELECT * FROM {name}")) for name in LOG}
    with town.owner.damaged(*LOG):
        for name in LOG:
            column = next(iter(tables.SQLModel.metadata.tables[name].columns)).name
            for statement in (
                f'UPDATE {name} SET "{column}" = "{column}"',
                f"DELETE FROM {name}",
                f"TRUNCATE {name}",
                f"ALTER TABLE {name} DISABLE TRIGGER USER",
                f"DROP TABLE {name}",
                f"CREATE TRIGGER x BEFORE INSERT ON {name} EXECUTE FUNCTION refuse_change()",
                f'SELECT 1 FROM {name} WHERE "{column}" > 0 FOR UPDATE',
            ):
                with pytest.raises(DENIED):
                    town.sql(statement)
        assert {name: sorted(town.sql(f"SELECT * FROM {name}")) for name in LOG} == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE shadow (n int)",
        "CREATE TEMPORARY TABLE entry (n int)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "UPDATE alembic_version SET version_num = 'x'",
        "TRUNCATE service",
        "ALTER SCHEMA public RENAME TO other",
        "SET session_replication_role = replica",
    ],
)
def test_it_has_no_way_round(town, statement):
    with pytest.raises(DENIED):
        town.sql(statement)


def test_the_owner_is_told_and_can_be_refused(town):
    with capture_logs() as said:
        open_ledger(town.owner.settings, town.clock).close()
    assert [(one["event"], one["tables"]) for one in said] == [("database.role_may_change_log", LOG)]
    strict = Settings(town.settings.home, town.owner.settings.database_url, require_restricted_role=True)
    with pytest.raises(SettingsError, match="shouwang database-role"):
        open_ledger(strict, town.clock)
    create_ledger(strict, town.clock).close()
    open_ledger(Settings(town.settings.home, town.settings.database_url, require_restricted_role=True), town.clock).close()


def test_making_the_role_again_takes_back_what_it_got_since(town):
    town.owner.sql(f"GRANT UPDATE (body) ON entry TO {town.role}")
    town.owner.sql(f"GRANT ALL ON checkpoint TO {town.role}")
    town.owner.sql("GRANT DELETE ON batch TO PUBLIC")
    with town.read() as tx:
        assert changeable_tables(tx.connection) == ["batch", "checkpoint", "entry"]
    restrict_role(town.owner.settings, town.role)
    with town.read() as tx:
        assert changeable_tables(tx.connection) == []


def test_a_role_with_rights_from_elsewhere_is_refused_and_left_as_it_was(town, roles):
    names = {what: roles() for what in ("superuser", "member", "role maker")}
    for what, how in (("superuser", "SUPERUSER"), ("member", ""), ("role maker", "CREATEROLE")):
        town.owner.sql(f"CREATE ROLE {names[what]} NOINHERIT {how}")
    owner = town.owner.sql("SELECT current_user::text")[0][0]
    town.owner.sql(f"GRANT {owner} TO {names['member']}")
    for name in names.values():
        with pytest.raises(SettingsError, match="从别处"):
            restrict_role(town.owner.settings, name)
        assert town.owner.sql("SELECT 1 FROM information_schema.role_table_grants WHERE grantee = ?", name) == []


def test_who_may_not_is_told_so(town, roles, tmp_path):
    with pytest.raises(NotAllowed, match="所有者"):
        restrict_role(town.settings, roles())
    owner = town.owner.sql("SELECT current_user::text")[0][0]
    with pytest.raises(InvalidRequest, match="另取"):
        restrict_role(town.owner.settings, owner)
    with pytest.raises(InvalidRequest, match="SQLite"):
        restrict_role(Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db"), "clerk")


@pytest.mark.parametrize("name", ["", "Clerk", "1st", 'a"b', "a b", "a;drop", "x" * 64, "员"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(InvalidRequest, match="账号名"):
        restrict_role(Settings(tmp_path, "postgresql+psycopg://nowhere/x"), name)


def test_an_empty_database_has_nothing_to_restrict(postgres_url, roles, tmp_path):
    name = roles()
    with pytest.raises(SettingsError, match="shouwang init"):
        restrict_role(Settings(tmp_path, postgres_url()), name)


def test_sqlite_knows_no_roles(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/x.db")
    with engine.connect() as connection:
        assert changeable_tables(connection) == []
    engine.dispose()


def test_the_setting_is_yes_or_no(tmp_path):
    env = {"SHOUWANG_HOME": str(tmp_path)}
    assert not Settings.from_env(env).require_restricted_role
    assert not Settings.from_env(env | {"SHOUWANG_REQUIRE_RESTRICTED_ROLE": "0"}).require_restricted_role
    assert Settings.from_env(env | {"SHOUWANG_REQUIRE_RESTRICTED_ROLE": "1"}).require_restricted_role
    with pytest.raises(SettingsError, match="RESTRICTED_ROLE"):
        Settings.from_env(env | {"SHOUWANG_REQUIRE_RESTRICTED_ROLE": "yes"})
