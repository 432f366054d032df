"""
What runs by the clock: signing checkpoints, publishing rates, dropping files nobody finished importing.

`schedule.py` holds the one table of jobs and starts them, `runs.py` sees to it that a job is done once for a business date, and each job is
a file of its own: a function of the ledger, a write transaction and the business date. Jobs act as the scheduler's account, and every entry
of theirs says so.
"""
