"""
The credit record beside services: training, evaluations, awards, conduct, and organisations' credit.

What needs one person (training, evaluations, appraisals) is an entry at once; what needs two (awards, conduct, an organisation on a list, and the end of
each) is a proposal (people/proposals.py) until a second one decides. Not to volunteer is nothing to record: no item here says it.
"""
