"""
Sheets written by hand: a clerk with a paper sheet and a queue at the desk.

A draft holds what is the same for everyone and one row a person. It is kept, sealed, at every change, belongs to one account (others at the station
take it over with a note), and is committed in one write: what is right is recorded together, what is not stays in the draft.
The rules of recording are those of service/; nobody is ever created from a sheet.
"""
