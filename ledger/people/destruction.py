"""
Making true what an entry says: what was erased is gone from the database, from the key store, and from whatever copy of either is put back later.

`volunteer.erased` is written first, with `wipe` in the same transaction; then the key is destroyed and noted in the second store (guard.py). A
crash between leaves an entry whose work is not done: `finish` does it, again and again without harm, whenever a ledger is opened (also the copy that
a restore verifies before it takes anything's place) and every hour. A database from before the erasure has no such entry; the second store has.

What this cannot reach: a copy of the key store from before the erasure, in the hands of somebody who also has the wrapping key of that time. Such a copy
opens nothing once the wrapping key has been rotated and the old one, with every copy of it, is gone.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, func, select

from ledger.bulk import rows_where_in
from ledger.database import read_transaction, write_transaction
from ledger.entries import format_time
from ledger.errors import SettingsError
from ledger.people.vault import Vault
from ledger.tables import (
    AccountRow,
    BlindIndexRow,
    CertificatePaperRow,
    ErasureRow,
    EvidenceRow,
    FilingDraftRow,
    HandedCodeRow,
    LinkedIdentityRow,
    MessageRow,
    MessageWishRow,
    NoticeRow,
    ObjectionNoteRow,
    ParkedRow,
    PersonRow,
    ProposalPaperRow,
    ProposalRow,
    SecondFactorRow,
    SessionRow,
    SheetDraftRow,
    SignUpRow,
    UploadRow,
    table,
)

_PERSON, _BLIND, _PARKED, _UPLOAD, _ERASURE = (table(m) for m in (PersonRow, BlindIndexRow, ParkedRow, UploadRow, ErasureRow))
_DRAFT, _EVIDENCE, _FILING_DRAFT = table(SheetDraftRow), table(EvidenceRow), table(FilingDraftRow)
_ACCOUNT, _PROPOSAL, _SIGN_UP = table(AccountRow), table(ProposalRow), table(SignUpRow)
_OF_NUMBER = (table(HandedCodeRow), table(ObjectionNoteRow), table(CertificatePaperRow), table(ProposalPaperRow))
_TOLD = (table(NoticeRow), table(MessageWishRow), table(MessageRow))
_OF_ACCOUNT = (table(SessionRow), table(SecondFactorRow), table(LinkedIdentityRow))
_log = structlog.get_logger()


def wipe(connection: Connection, subjects: Sequence[str]) -> None:
    """Take people (person/…) out of every table but the log, in the caller's transaction: sealed data, indexes, rows in hand; shut their accounts."""
    _overwrite(connection)
    unfind(connection, subjects)
    numbers = [subject.removeprefix("person/") for subject in subjects]
    connection.execute(_PERSON.delete().where(_PERSON.c.subject.in_(subjects)))
    connection.execute(_PROPOSAL.update().where(_PROPOSAL.c.volunteer.in_(numbers)).values(sealed=None))
    for target in _OF_NUMBER:
        connection.execute(target.delete().where(target.c.volunteer.in_(numbers)))


def unfind(connection: Connection, subjects: Sequence[str]) -> None:
    """Let nobody find these people, tell them anything, expect them, nor act as them: no index, inbox, wish, sign-up, row waiting, session.

    In the caller's transaction.
    """
    digests = select(_BLIND.c.digest).where(_BLIND.c.subject.in_(subjects), _BLIND.c.field == "id_number")
    connection.execute(_PARKED.delete().where(_PARKED.c.digest.in_(digests)))
    connection.execute(_BLIND.delete().where(_BLIND.c.subject.in_(subjects)))
    for target in _TOLD:
        connection.execute(target.delete().where(target.c.recipient.in_(subjects)))
    connection.execute(_SIGN_UP.delete().where(_SIGN_UP.c.volunteer.in_([subject.removeprefix("person/") for subject in subjects])))
    accounts = select(_ACCOUNT.c.id).where(_ACCOUNT.c.volunteer.in_([subject.removeprefix("person/") for subject in subjects]))
    for target in _OF_ACCOUNT:
        connection.execute(target.delete().where(target.c.account.in_(accounts)))
    shut = {"disabled": 1, "password_hash": None, "session_epoch": _ACCOUNT.c.session_epoch + 1}
    connection.execute(_ACCOUNT.update().where(_ACCOUNT.c.id.in_(accounts)).values(shut))


def _overwrite(connection: Connection) -> None:
    """Have SQLite write zeros over what is deleted from here on; PostgreSQL's dead rows go with the next VACUUM."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def finish(engine: Engine, vault: Vault, now: datetime) -> int:
    """Destroy what is left of people who were erased. Returns how many of them something was left of."""
    with read_transaction(engine) as connection:
        said = set(connection.execute(select(_ERASURE.c.subject).where(_ERASURE.c.state == "erased")).scalars())
        known = vault.destroyed()
        everybody = sorted(said | known)
        if not everybody:
            return 0
        left = {
            row.subject
            for target in (_PERSON, _BLIND)
            for row in rows_where_in(connection, (target.c.subject,), target.c.subject, everybody)
        }
        numbers = [subject.removeprefix("person/") for subject in everybody]
        columns = (_ACCOUNT.c.volunteer, _ACCOUNT.c.disabled)
        left |= {f"person/{row.volunteer}" for row in rows_where_in(connection, columns, _ACCOUNT.c.volunteer, numbers) if not row.disabled}
    due = sorted(left | set(vault.with_keys(everybody)) | (said - known))
    if not due:
        return 0
    try:
        vault.destroy(due, format_time(now))
    except SettingsError as error:  # without the second store nothing can be signed, but nobody's key may survive for that
        _log.warning("erasure.not_noted", error=str(error))
        vault.drop_keys(due)
    if left:
        with write_transaction(engine) as connection:
            wipe(connection, sorted(left))
    _scrub(engine)
    return len(due)


def _scrub(engine: Engine) -> None:
    """Let no old page linger: fold SQLite's log into the database, let PostgreSQL clear its dead rows. Nothing fails when a reader delays it."""
    statement = "PRAGMA wal_checkpoint(TRUNCATE)" if engine.dialect.name == "sqlite" else "VACUUM person, blind_index, parked, account"
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        if engine.dialect.name == "postgresql":
            driver.autocommit = True
        try:
            driver.execute(statement)
        except engine.dialect.loaded_dbapi.Error as error:
            _log.info("erasure.not_scrubbed", error=type(error).__name__)
        finally:
            if engine.dialect.name == "postgresql":
                driver.autocommit = False


def sweep(connection: Connection, vault: Vault) -> int:
    """Destroy the keys of what is gone: uploads and pictures dropped, parked rows recorded. The caller holds the writer's place. Returns how many."""
    gone = []
    pictures = select(_EVIDENCE.c.id).where(func.length(_EVIDENCE.c.sealed) > 0)  # of one whose term is over, the row stays
    in_hand = (("upload/", select(_UPLOAD.c.id)), ("parked/", select(_PARKED.c.id)), ("draft/", select(_DRAFT.c.id)))
    drafts = ("filing-draft/", select(_FILING_DRAFT.c.id))
    for prefix, there in (*in_hand, drafts, ("evidence/", pictures)):
        kept = set(connection.execute(there).scalars())
        gone += [subject for subject in vault.keyed(prefix) if subject.removeprefix(prefix) not in kept]
    return vault.drop_keys(gone)
