"""Certificates of service: the register, which follows from the log, and beside it the papers as issued, sealed, and their places in status lists."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ledger.tables.columns import blob, count, index_key, text


class CertificateRow(SQLModel, table=True):
    """A projection: a certificate as issued, and whether it was revoked. *series* and *serial* are what its number is made of; JSON: grades, records."""

    __tablename__ = "certificate"
    entry_index: int = index_key("entry_index")
    number: str = text(unique=True)
    series: str = text()
    serial: int
    volunteer: str = text(index=True)
    station: str = text()
    issued_on: str = text()
    period_from: str | None = text(default=None)
    period_to: str | None = text(default=None)
    minutes: int = count()
    grades: str = text()
    records: str = text()
    tree_size: int = count()
    paper: str = text()
    code: str = text(index=True)
    issued_by: str = text()
    issued_at: str = text()
    revoked_index: int | None = Field(default=None, sa_type=BigInteger)
    revoked_by: str | None = text(default=None)
    revoked_at: str | None = text(default=None)
    revoked_reason: str | None = text(default=None)
    __table_args__ = (
        Index("uq_certificate_series_serial", "series", "serial", unique=True),
        Index("ix_certificate_station_issued_on", "station", "issued_on"),
    )


class CertificatePaperRow(SQLModel, table=True):
    """A certificate's document and its signed slip as they were issued, sealed under the person's key and erased with the person."""

    __tablename__ = "certificate_paper"
    certificate: str = text(primary_key=True)
    volunteer: str = text(index=True)
    sealed: bytes = blob()


class CertificateStatusRow(SQLModel, table=True):
    """A certificate's place in the status list of its Verifiable Credential: random, and kept when the person is erased."""

    __tablename__ = "certificate_status"
    certificate: str = text(primary_key=True)
    list: int
    place: int
    __table_args__ = (Index("uq_certificate_status_list_place", "list", "place", unique=True),)
