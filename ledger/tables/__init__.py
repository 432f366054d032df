"""
Every table, in three groups: the log (append-only, the truth), projections (folds of the log, disposable), and what is neither (people, work).

Dates and local times are ISO text (YYYY-MM-DD, YYYY-MM-DDTHH:MM), instants RFC 3339 with +08:00, as in entries: they sort as text and no driver
changes their zone. Text that orders a comparison with a rebuild is compared by code point. Rows are never validated here (SQLModel does not
validate table models): rules live in the noun modules, and entries are validated by their kind.
"""

from ledger.tables.columns import table
from ledger.tables.log import LOG, BatchRow, CheckpointRow, CosignatureRow, EntryRow, TileRow
from ledger.tables.people import AccountRow, ApiTokenRow, BlindIndexRow, FailedSignInRow, PersonRow
from ledger.tables.projections import (
    PROJECTIONS,
    ActivityRow,
    ChainRow,
    KeyRotationRow,
    OrganisationRow,
    PolicyRow,
    PopulationRow,
    PublishedRateRow,
    ServiceRow,
    StationRow,
    VolunteerRow,
)
from ledger.tables.work import JobRunRow, ParkedRow, UploadRow, WitnessContactRow

__all__ = [
    "LOG",
    "PROJECTIONS",
    "AccountRow",
    "ActivityRow",
    "ApiTokenRow",
    "BatchRow",
    "BlindIndexRow",
    "ChainRow",
    "CheckpointRow",
    "CosignatureRow",
    "EntryRow",
    "FailedSignInRow",
    "JobRunRow",
    "KeyRotationRow",
    "OrganisationRow",
    "ParkedRow",
    "PersonRow",
    "PolicyRow",
    "PopulationRow",
    "PublishedRateRow",
    "ServiceRow",
    "StationRow",
    "TileRow",
    "UploadRow",
    "VolunteerRow",
    "WitnessContactRow",
    "table",
]
