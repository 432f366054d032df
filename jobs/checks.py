"""
Checks by the clock: every night what is new in the log is verified, every week all of it, projections and vault included.

Either is done before the writer's place is taken: clerks go on writing. A fault is a failure of the job, and stays one, night after night, until the
ledger holds again; where it lies is told by `shouwang verify`.
"""

from ledger.checking.verifying import verify
from ledger.errors import Corrupt
from ledger.store import Ledger


def verify_new(ledger: Ledger) -> int:
    """Verify what is newer than the last verification. Returns the size of the log. Raises Corrupt."""
    return _verify(ledger, since_last=True)


def verify_all(ledger: Ledger) -> int:
    """Verify everything. Returns the size of the log. Raises Corrupt."""
    return _verify(ledger, since_last=False)


def _verify(ledger: Ledger, *, since_last: bool) -> int:
    report = verify(ledger, since_last=since_last, remember=True)
    if not report.ok:
        first = report.faults[0]
        where = f"第 {first.index} 条" if first.index is not None else "全账"
        raise Corrupt(f"账本核对发现 {len(report.faults)} 处不符，第一处在{where}（{first.what}）。请运行 shouwang verify 看全部")
    return report.size
