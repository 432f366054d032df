"""
Every table, in three groups: the log (append-only, the truth), projections (folds of the log, disposable), and what is neither (people, work).

Dates and local times are ISO text (YYYY-MM-DD, YYYY-MM-DDTHH:MM), instants RFC 3339 with +08:00, as in entries: they sort as text and no driver
changes their zone. Text that orders a comparison with a rebuild is compared by code point. Rows are never validated here (SQLModel does not
validate table models): rules live in the noun modules, and entries are validated by their kind.
"""

from sqlmodel import SQLModel

from ledger.tables.activities import CalendarRow, DeskRow, PlanRow, PresenceRow, SignUpRow
from ledger.tables.certificates import CertificatePaperRow, CertificateRow, CertificateStatusRow
from ledger.tables.columns import table
from ledger.tables.credit import (
    AppraisalRow,
    AwardRow,
    ConductRow,
    EvaluationRow,
    OrganisationNoteRow,
    PointsSpentRow,
    TrainingRow,
)
from ledger.tables.drafting import BatchVoidRow, EvidenceLookRow, EvidenceRow, SheetDraftRow
from ledger.tables.duties import DutyPaperRow
from ledger.tables.figures import FigureRow, OrganisationMarkRow
from ledger.tables.filing import (
    FilingApplicationRow,
    FilingDraftRow,
    FilingStandingRow,
    FilingUnitNameRow,
    FilingWarningRow,
)
from ledger.tables.handovers import HandoverRequestRow, HandoverRow
from ledger.tables.log import LOG, BatchRow, CheckpointRow, CosignatureRow, EntryRow, TileRow
from ledger.tables.notices import MessageRow, MessageWishRow, NoticeRow
from ledger.tables.people import (
    AccountRow,
    ApiTokenRow,
    BlindIndexRow,
    FailedSignInRow,
    LinkedIdentityRow,
    PersonRow,
    RoleProposalRow,
    SecondFactorRow,
    SessionRow,
)
from ledger.tables.privacy import DataRequestRow, ErasureRow, RevealRow
from ledger.tables.projections import (
    PROJECTIONS,
    AccountBindingRow,
    AccountChangeRow,
    ActivityRow,
    ChainRow,
    KeyRotationRow,
    ObjectionRow,
    OmissionRow,
    OrganisationRow,
    PastHomeRow,
    PolicyRow,
    PopulationRow,
    PublishedRateRow,
    RoleGrantRow,
    ServiceRow,
    StationRow,
    VolunteerRow,
    YearServedRow,
)
from ledger.tables.selections import (
    SelectionCandidateRow,
    SelectionDoubtRow,
    SelectionDraftRow,
    SelectionLineRow,
    SelectionObjectionRow,
    SelectionProposalRow,
    SelectionRecordRow,
    SelectionRow,
    SelectionWordsRow,
)
from ledger.tables.spot_checks import SpotCheckAnnouncementRow, SpotCheckRow
from ledger.tables.tasks import TaskRow
from ledger.tables.work import (
    DormancyNoticeRow,
    HandedCodeRow,
    JobRow,
    JobRunRow,
    ObjectionNoteRow,
    ParkedRow,
    ProposalPaperRow,
    ProposalRow,
    RequestRow,
    RuleProposalRow,
    SecondSignatureRow,
    UploadRow,
    WebhookRow,
    WitnessContactRow,
)

APPEND_ONLY: tuple[type[SQLModel], ...] = (*LOG, RevealRow)
"""Tables that only grow: the log, and who looked at people's data."""

__all__ = [
    "APPEND_ONLY",
    "LOG",
    "PROJECTIONS",
    "AccountBindingRow",
    "AccountChangeRow",
    "AccountRow",
    "ActivityRow",
    "ApiTokenRow",
    "AppraisalRow",
    "AwardRow",
    "BatchRow",
    "BatchVoidRow",
    "BlindIndexRow",
    "CalendarRow",
    "CertificatePaperRow",
    "CertificateRow",
    "CertificateStatusRow",
    "ChainRow",
    "CheckpointRow",
    "ConductRow",
    "CosignatureRow",
    "DataRequestRow",
    "DeskRow",
    "DormancyNoticeRow",
    "DutyPaperRow",
    "EntryRow",
    "ErasureRow",
    "EvaluationRow",
    "EvidenceLookRow",
    "EvidenceRow",
    "FailedSignInRow",
    "FigureRow",
    "FilingApplicationRow",
    "FilingDraftRow",
    "FilingStandingRow",
    "FilingUnitNameRow",
    "FilingWarningRow",
    "HandedCodeRow",
    "HandoverRequestRow",
    "HandoverRow",
    "JobRow",
    "JobRunRow",
    "KeyRotationRow",
    "LinkedIdentityRow",
    "MessageRow",
    "MessageWishRow",
    "NoticeRow",
    "ObjectionNoteRow",
    "ObjectionRow",
    "OmissionRow",
    "OrganisationMarkRow",
    "OrganisationNoteRow",
    "OrganisationRow",
    "ParkedRow",
    "PastHomeRow",
    "PersonRow",
    "PlanRow",
    "PointsSpentRow",
    "PolicyRow",
    "PopulationRow",
    "PresenceRow",
    "ProposalPaperRow",
    "ProposalRow",
    "PublishedRateRow",
    "RequestRow",
    "RevealRow",
    "RoleGrantRow",
    "RoleProposalRow",
    "RuleProposalRow",
    "SecondFactorRow",
    "SecondSignatureRow",
    "SelectionCandidateRow",
    "SelectionDoubtRow",
    "SelectionDraftRow",
    "SelectionLineRow",
    "SelectionObjectionRow",
    "SelectionProposalRow",
    "SelectionRecordRow",
    "SelectionRow",
    "SelectionWordsRow",
    "ServiceRow",
    "SessionRow",
    "SheetDraftRow",
    "SignUpRow",
    "SpotCheckAnnouncementRow",
    "SpotCheckRow",
    "StationRow",
    "TaskRow",
    "TileRow",
    "TrainingRow",
    "UploadRow",
    "VolunteerRow",
    "WebhookRow",
    "WitnessContactRow",
    "YearServedRow",
    "table",
]
