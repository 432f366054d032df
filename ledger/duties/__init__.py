"""
Duties: work that falls due, by forms that are data.

    forms        what a form may ask, when it falls due and who owes it; forms.json: those that come with the ledger
    papers       a form filled in, checked and handed in; what came before it stays in the log
    owing        what units owe on a day: done, late, soon, overdue
    lists        the monthly filing ledger (备案情况统计台账), and a paper as an office hands it on
"""
