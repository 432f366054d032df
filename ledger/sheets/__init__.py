"""
From a file as a station sends it to clean typed rows, and back to the station with the problems written in.

`reading` opens the file (`sandbox`, `child` and `workbooks` keep what parses untrusted bytes apart from this process), `layout`
finds the table and its columns, `columns` knows what they are called, `spelling` reads the single cell, `problems` returns the
clerk's own file with a 「问题」 column. Nothing here knows the ledger or a database.
"""
