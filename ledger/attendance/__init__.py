"""
Attendance: who came to an activity and when they left, as both sides saw it.

The rules this folder alone keeps:

1. Signing in begins when somebody of the station opens the desk of an activity; that account is the recorder of what comes of it.
2. Two sides are there when the volunteer's own sign-in meets the station's screen, or the volunteer's own code the station's desk. Both codes change
   every half minute and an old one is refused. A typed number alone is one side: it counts, with less weight.
3. Coming and leaving by two sides is grade A; anything else is B. Whoever forgot to sign out left at the planned end, and is marked.
4. What counts lies between the planned start and the activity's end, less its breaks. Each time somebody came and left is a record of its own.
5. All of an activity's records are made at once when it is closed, judged as any others: who is refused is listed, and hurts nobody else.

Coming and leaving are cheap rows, gathered by the writer from however many ask at once; the facts are the records.
"""
