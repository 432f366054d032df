"""
Rules of credit: dated, versioned policy files, and what they make of a person's facts.

    reading.read(bytes) -> RuleSet        a rule file, checked
    explaining.explain(chain, facts, on)  what the facts give, entry by entry, and where the person stands
    gathering.facts(tx, volunteer)        the facts, from the ledger's tables
    adopting                              which rules are in force since when; how they come to be
    gates                                 what rules refuse where it happens

Everything is whole numbers: minutes, and hundredths of points. A policy is called `credit/<name>`; `credit/star` is the one whose first scale is the
star that is shown everywhere. Without it the ladder of the service policy is that scale.
"""
