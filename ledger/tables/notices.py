"""What people are told: their inboxes, whether they want messages beside it, and how each message fared. Nothing of it is part of the ledger."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from ledger.tables.columns import text


class NoticeRow(SQLModel, table=True):
    """One notice in somebody's inbox: what happened, and about what (JSON of codes and entry numbers). Its id orders by time.

    recipient: person/<volunteer number> or an account's id.
    """

    __tablename__ = "notice"
    id: str = text(primary_key=True)
    recipient: str = text()
    what: str = text()
    about: str = text()
    told_at: str = text(index=True)
    read_at: str | None = text(default=None)
    __table_args__ = (Index("ix_notice_recipient_id", "recipient", "id"), Index("ix_notice_recipient_read_at", "recipient", "read_at"))


class MessageWishRow(SQLModel, table=True):
    """That somebody wants messages on their phone beside the inbox, and by which way (sms, wechat). No row: the inbox only."""

    __tablename__ = "message_wish"
    recipient: str = text(primary_key=True)
    channel: str = text()
    since: str = text()


class MessageRow(SQLModel, table=True):
    """One notice to be sent to a phone, and how that fared: waiting, sent, given_up. claim: until when it is in a process's hands."""

    __tablename__ = "message"
    notice: str = text(primary_key=True)
    recipient: str = text(index=True)
    channel: str = text()
    state: str = text()
    attempts: int = 0
    next_attempt_at: str | None = text(default=None)
    claim: str | None = text(default=None)
    last_error: str | None = text(default=None)
    settled_at: str | None = text(default=None)
    __table_args__ = (Index("ix_message_state_next_attempt_at", "state", "next_attempt_at"),)
