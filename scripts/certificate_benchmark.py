"""What a certificate costs: put together, entered into the log, signed, and printed; and judged by somebody who has the file alone."""

import time
from collections.abc import Callable
from functools import partial

from ledger.certificates import issuing, printing, register
from ledger.certificates.documents import Wish
from ledger.checking.credentials import judge_file
from ledger.checking.trusting import Trust
from ledger.people.actors import OPERATOR
from ledger.store import Ledger
from scripts import limits

_ADDRESS = "https://volunteer.example.gov.cn"
_TIMES = 9


def run(row: Callable[..., None], ledger: Ledger) -> None:
    """Make certificates for the volunteer with the most services of a ledger."""
    with ledger.read() as tx:
        asked = "SELECT volunteer FROM service WHERE status = 'approved' GROUP BY volunteer ORDER BY count(*) DESC, volunteer LIMIT 1"
        person = tx.connection.exec_driver_sql(asked).scalar_one()
    printed: list[bytes] = []

    def one() -> int:
        issued = issuing.certify(ledger, OPERATOR, Wish(person))
        with ledger.read() as tx:
            issued_row = register.get(tx, issued.number)
            sign = partial(ledger.signing.sign_text, tx.connection)
            printed.append(printing.print_pdf(register.certificate(tx, issued_row), _ADDRESS, sign))
            return register.standing(tx, issued_row).count

    records = one()
    with ledger.read() as tx:
        found = register.certificate(tx, register.of_volunteer(tx, person)[0])
    bare = limits.median_of(_TIMES, lambda: printing.print_pdf(found, _ADDRESS, str.encode))
    began = time.process_time()
    whole = limits.median_of(_TIMES, one)
    own = (time.process_time() - began) / _TIMES
    said = f"{bare * 1000:.0f} ms to print alone"
    what = f"one certificate of {records} records: entered, signed, printed ({len(printed[-1]) / 1024:.0f} KB)"
    row(what, f"{whole * 1000:.0f} ms ({own * 1000:.0f} ms of processor time)", "60 ms", said, bare / whole)
    trust = Trust([ledger.signing.verifier()])
    judged = limits.median_of(_TIMES, lambda: judge_file(printed[-1], trust))
    assert judge_file(printed[-1], trust).report.ok
    row("that PDF verified offline", f"{judged * 1000:.1f} ms", "50 ms")
