"""What papers cost that an office hands on: a credential made and judged, its status list, the annual report counted, long lists as files."""

import time
from collections.abc import Callable
from datetime import date
from functools import partial

from ledger import annual_reports
from ledger.certificates import credentials, register
from ledger.certificates.credentials import Issuer
from ledger.checking.credentials import judge_file, verify_status
from ledger.checking.trusting import Trust
from ledger.log import tree_head
from ledger.reports import Column, Report, file_of
from ledger.store import Ledger
from scripts import limits

_ADDRESS = "https://volunteer.example.gov.cn"
_TIMES = 9
_COLUMNS = (
    Column("名次", 7, "integer"),
    Column("志愿者编号", 15),
    Column("姓名", 10),
    Column("所属站点", 30),
    Column("年度时长", 14, "minutes"),
    Column("次数", 7, "integer"),
    Column("备注", 34),
)


def run(row: Callable[..., None], ledger: Ledger) -> None:
    """Measure on a ledger that has a certificate."""
    with ledger.read() as tx:
        number = tx.connection.exec_driver_sql("SELECT number FROM certificate ORDER BY entry_index DESC LIMIT 1").scalar_one()
        paper, issuer = register.get(tx, number), Issuer(ledger.settings, ledger.signing, _ADDRESS)
        for way in credentials.WAYS:
            made = limits.median_of(_TIMES, partial(credentials.credential, tx, issuer, paper, way))
            row(f"its credential as {way.upper()}: sealed document opened, vouched for, signed", f"{made * 1000:.1f} ms", "60 ms")
        secured = credentials.credential(tx, issuer, paper, "json")
        trust = Trust([ledger.signing.verifier()])
        judged = limits.median_of(_TIMES, lambda: judge_file(secured, trust))
        row("that credential verified offline", f"{judged * 1000:.1f} ms", "50 ms")
        credential = judge_file(secured, trust).credential
        assert credential is not None
        key = credential.opened.key
        listed = limits.median_of(_TIMES, lambda: credentials.status_list(tx, issuer, key, 1, "json"))
        row("a status list of 131,072 places written and signed", f"{listed * 1000:.1f} ms", "20 ms")
        assert verify_status(credential, credentials.status_list(tx, issuer, key, 1, "json")).ok
        size = tree_head(tx.connection).size
        counted = limits.median_of(3, lambda: annual_reports.count(tx.connection, 2025, tx.today, size))
        row(f"the annual report of every unit, counted from {size:,} entries", f"{counted * 1000:.0f} ms", "1 s")
    for rows, kind, goal in ((1_000, "xlsx", "1 s"), (1_000, "pdf", "2 s"), (100_000, "xlsx", "20 s"), (100_000, "csv", "20 s")):
        report = _list(rows)
        began, busy = time.perf_counter(), time.process_time()
        kilobytes = len(file_of(report, kind).content) / 1024
        seconds, own = time.perf_counter() - began, time.process_time() - busy
        what = f"a list of {rows:,} rows as {kind.upper()} ({kilobytes:,.0f} KB), looked through for numbers"
        row(what, f"{seconds:.1f} s ({own:.1f} s of processor time)", goal)


def _list(count: int) -> Report:
    """Make a list as a selection hands it on."""
    said = [
        (at, "K7M2Q9X4R5", "欧**海", "三里庵街道梅山路社区社会服务站", 3_000 - at % 2_000, 12, "与其他 1 人时长相同")
        for at in range(1, count + 1)
    ]
    return Report("2025 年度优秀志愿者", "三里庵街道社会服务中心", "测量", date(2026, 1, 12), _COLUMNS, said)
