"""
Indicators: where every unit stands against the targets of its district, by a table that is data.

    reading      what a set of indicators may say, checked
    measures     what can be counted, for every unit, its units below included
    standings    each indicator of each unit: numerator, denominator, target, what is missing
    proposing    a set proposed by one official and confirmed by another
    adoption     which set a district has adopted; the figures and marks that it hands in
    sets/        the sets that come with the ledger, one for each of the policies they quote
"""
