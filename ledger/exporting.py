"""
Exporting the log as a static folder: the C2SP tlog-tiles paths, so that a plain web server can serve it and anybody's tools can check it.

    checkpoint            the newest signed tree head, written last: a reader never sees a checkpoint whose tiles are not there
    tile/L/N[.p/W]        hashes of the tree at that size           tile/entries/N[.p/W]   the entries, for auditors
    vkey                  the log's public key: the one that signs that checkpoint for certain
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select, text

from ledger import log
from ledger.checking.bundles import Bundle
from ledger.checking.reading import read_entry
from ledger.checkpoints import checkpoint_size, newest_checkpoint, prover, served_checkpoint
from ledger.errors import InvalidRequest, NotFound
from ledger.merkle import TILE_WIDTH
from ledger.notes import encode_proof
from ledger.store import Ledger
from ledger.tables import EntryRow, KeyRotationRow, table
from ledger.tiles import all_tiles, bundle_path, encode_bundle, tile_path

_ENTRY, _ROTATION = table(EntryRow), table(KeyRotationRow)


def export_log(ledger: Ledger, folder: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write the log up to its newest checkpoint. Returns its size.

    A folder with an older export is brought up to date; full tiles that are there are not written again.
    Raises NotFound without a checkpoint, InvalidRequest when the folder holds something else.
    """
    with ledger.read() as tx:
        note = served_checkpoint(tx.connection)
        if note is None:
            raise NotFound("还没有检查点可以导出。请先运行 shouwang checkpoint")
        theirs, ours = folder / "vkey", [key.vkey for key in ledger.signing.keyring(tx.connection).verifiers]
        if folder.exists() and any(folder.iterdir()) and not (theirs.exists() and theirs.read_text().strip() in ours):
            raise InvalidRequest(f"文件夹 {folder} 里有别的东西，请换一个空文件夹")
        if not theirs.exists():  # from here on the folder is this log's: an export that breaks off is gone on with by the next
            folder.mkdir(parents=True, exist_ok=True)
            _write(theirs, f"{ledger.signing.vkey}\n".encode())
        size = checkpoint_size(note)
        for level, index, width in all_tiles(size):
            _write_once(folder / tile_path(level, index, width), partial(log.read_tile, tx.connection, level, index, width))
            if level == 0:
                _write_once(folder / bundle_path(index, width), partial(read_bundle, tx.connection, index, width))
                if progress:
                    progress(index * TILE_WIDTH + width, size)
        _write(theirs, f"{ledger.signing.vkey}\n".encode())
        _write(folder / "checkpoint", note.encode())
        return size


def read_bundle(connection: Connection, index: int, width: int) -> bytes:
    """Give an entry bundle: *width* entries from 256 x *index* on. Raises NotFound when they are not all there."""
    first = index * TILE_WIDTH
    statement = select(_ENTRY.c.body).where(_ENTRY.c.index >= first, _ENTRY.c.index < first + width).order_by(_ENTRY.c.index)
    found = [bytes(body) for body in connection.execute(statement).scalars()]
    if len(found) != width:
        raise NotFound(f"第 {index} 包没有 {width} 条")
    return encode_bundle(found)


def _write_once(path: Path, make: Callable[[], bytes]) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, make())


def _write(path: Path, content: bytes) -> None:
    """Give a file its name only when it is whole: an export that broke off must not leave half a tile to be taken for one by the next."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def bundle_records(connection: Connection, indexes: Sequence[int], subject: str | None = None) -> Bundle:
    """Make a record bundle of these entries, or of the whole chain of a subject (person/…, organisation/…, station/…) up to the newest checkpoint.

    Raises NotFound when an entry is newer than the checkpoint or is not there, or the subject has no entry.
    """
    if subject is not None:
        indexes = _indexes_of(connection, subject)
    prove = prover(connection)
    records = [(log.read_entry(connection, index), encode_proof(prove(index))) for index in sorted(set(indexes))]
    rotations = select(_ROTATION.c.entry_index).order_by(_ROTATION.c.entry_index)
    return Bundle(records, [log.read_entry(connection, index) for index in connection.execute(rotations).scalars()], subject)


def _indexes_of(connection: Connection, subject: str) -> list[int]:
    """Find a subject's entries by reading all: no index is worth its upkeep for a question that is rarely asked."""
    note = newest_checkpoint(connection)
    named = "position(:named in body) > 0" if connection.dialect.name == "postgresql" else "instr(body, :named) > 0"
    statement = select(_ENTRY.c.index).where(text(named), _ENTRY.c.index < (checkpoint_size(note) if note else 0)).order_by(_ENTRY.c.index)
    found = connection.execute(statement, {"named": f'"{subject}":['.encode()}).scalars()
    indexes = [index for index in found if subject in read_entry(log.read_entry(connection, index)).chains]
    if not indexes:
        raise NotFound(f"检查点覆盖的记录里没有 {subject} 的。请核对编号，或先运行 shouwang checkpoint")
    return indexes
