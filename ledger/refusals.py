"""
Refusals: why one row of a sheet was not accepted, as a value and not as an exception, because the other rows go on.

The codes are a contract (they are in `import --json` and in the API); the sentence beside a code says what is wrong with this row and how to mend it.
"""

from dataclasses import dataclass

CODES = {
    "missing": "缺少必填内容",
    "unreadable": "内容看不懂",
    "id_checksum": "身份证号不对",
    "id_precision_lost": "身份证号末几位丢失",
    "duplicate": "重复",
    "unknown_volunteer": "尚未登记",
    "name_mismatch": "姓名不符",
    "missing_sign_out": "没有签退",
    "end_before_start": "结束早于开始",
    "overlap": "时间重叠",
    "over_daily_cap": "超过每日上限",
    "future_date": "日期在将来",
    "against_rules": "不合信用规则",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row refused: a code of CODES, a sentence for the person who can mend it, the column at fault if one is."""

    code: str
    message: str
    column: str | None = None

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code


@dataclass(frozen=True, slots=True)
class Already:
    """A row that says what the ledger holds already: a success, nothing is added."""

    index: int
