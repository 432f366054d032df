"""Step one, 规则: rules written and saved, version by version, until they are frozen. After that other rules take another round."""

from typing import Any

import orjson

from ledger import codes, stations
from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest
from ledger.ids import new_number
from ledger.kinds.checks import text
from ledger.selections import reading
from ledger.selections.reading import ACTION
from ledger.selections.rules import Rules, canonical, read_rules
from ledger.tables import SelectionDraftRow, table
from ledger.transactions import WriteTransaction

_DRAFT = table(SelectionDraftRow)
VERSIONS_MAX = 200
FIRST_YEAR = 1980
EXAMPLE: dict[str, Any] = {
    "name": "优秀志愿者",
    "quota": {"total": 10},
    "grades": list(codes.GRADES),
    "minimum_minutes": 1200,
    "confirmed_only": True,
    "conduct": {"in_force": True},
    "honoured": {"levels": ["station"], "years": 1},
    "tie_break": ["minutes_ab", "services", "registered_on", "random"],
    "publicity_days": 5,
}
"""Rules to begin with."""


def save(
    tx: WriteTransaction, draft: str | None, station: str, year: int, rules: bytes, random_source: str = "", replaces: str | None = None
) -> str:
    """Save rules: of a new selection, or as the next version of a draft. *replaces*: the frozen round that these take the place of.

    Returns the number of the selection to be. Raises NotAllowed, NotFound, Conflict when it is frozen, InvalidRequest naming what is wrong.
    """
    tx.require(ACTION, station)
    stations.get(tx.connection, station)
    read = read_rules(rules)
    random_source = " ".join(random_source.split())
    if not FIRST_YEAR <= year <= tx.today.year:
        raise InvalidRequest(f"年度应在 {FIRST_YEAR} 到 {tx.today.year} 之间")
    if random_source and not text(200)(random_source):
        raise InvalidRequest("公开随机数的来源请写在 200 字以内，不要写手机号或证件号")
    if read.subject == "organisations" and (read.confirmed_only or read.training_minutes):
        raise InvalidRequest("评组织时不用「本人确认过登记」和「培训至少」：组织不会有，谁也评不上。请去掉这两项")
    if "random" in read.tie_break and not random_source:
        raise InvalidRequest("并列规则用到公开随机数：请写明用哪一个，例如「冻结后第一期双色球的开奖号码」。冻结以后不能再换")
    version = 1
    if draft is not None:
        before = reading.see_draft(tx, tx.actor, draft)
        if reading.find(tx.connection, draft) is not None:
            raise Conflict("这一轮已经冻结，规则不能再改。要改规则，请另起一轮")
        if before.station != station or before.version >= VERSIONS_MAX:
            raise InvalidRequest("这份规则属于别的单位，或者改的次数太多了。请另起一份")
        version, replaces = before.version + 1, before.replaces
    if replaces is not None:
        _check_replaceable(tx, replaces, station)
    number = draft or new_number()
    row = {
        "id": number,
        "version": version,
        "station": station,
        "year": year,
        "rules": canonical(read.said).decode(),
        "random_source": random_source or None,
        "replaces": replaces,
        "saved_by": tx.actor.account,
        "saved_at": format_time(tx.now),
    }
    insert_rows(tx.connection, _DRAFT, [row])
    return number


def _check_replaceable(tx: WriteTransaction, replaces: str, station: str) -> None:
    earlier = reading.see(tx, tx.actor, replaces)
    if earlier.station != station:
        raise InvalidRequest("另起的一轮要属于同一个单位")
    if earlier.sealed_index is not None or earlier.replaced_by is not None:
        raise Conflict("那一轮已经定稿，或已经另起过一轮，不能再替换")


def rules_of(row: Any) -> Rules:
    """Give a draft's rules."""
    return read_rules(canonical(orjson.loads(row.rules)))
