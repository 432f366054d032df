"""
Service records: who served how many minutes, on whose word, with what evidence; and how a wrong one is put right.

The rules this folder alone keeps:

1. Minutes are whole and what was really given: end less start less breaks. A person cannot be in two places: no two standing records of one person
   overlap, anywhere in the district. The same person, activity and times again is not a second record.
2. Nothing is recorded that has not ended yet. What goes over the daily cap of the policy in force on that day is refused, but if two people sign for it.
3. Who recorded is never who approves. Approval starts publicity (公示); the record counts from the working day after it. Records that were
   approved and publicised on paper before they came here (*settled*) count from the day of service. What came late is approved from the unit above.
4. A mistake is mended by a new entry with a reason, never by a change: `correct` and `void`. Once a record is approved, whoever recorded or corrected it
   cannot do so alone; and a corrected figure waits for approval again.
5. The volunteer may object to any record of theirs; whoever had no part in it decides. A record frozen by an objection counts nowhere until then.
"""
