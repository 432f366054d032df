"""
Planning: activities before they are held, and the calendar they stand in.

The rules this folder alone keeps:

1. A plan is nobody's fact: it may be changed and dropped. Publishing makes it an entry, after it was declared that the activity is none of the kinds
   that must not be recorded (民政部令第67号 article 19).
2. What is published is still to come or going on, ends after it begins, and lasts two days at most. Breaks lie inside it and apart from each other.
3. A major activity (节庆、演出、竞赛、集会) is published only with the day on which it was reported; until then its plan shows by when.
4. Each occurrence of a recurring activity is an activity of its own. Calling one off leaves the others; who signed up for it is told.
"""
