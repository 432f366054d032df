"""
Selections: choosing a unit's outstanding volunteers or organisations of a year (优秀志愿者评选), so that anybody with the log gets the same list.

Eight steps: 规则 → 冻结 → 预审 → 疑点 → 排名 → 公示 → 异议 → 定稿. The rules this folder alone keeps:

1. Rules are data (rules.py). There is one way of ranking (ranking.py), whoever asks: it sees a `Source` (sources.py), which is the ledger as it stands,
   or as a selection froze it.
2. A freeze is an entry over a signed checkpoint: what the selection counts is copied there and then, by the projection, and by every replay alike. What
   enters the log later counts only if the decision of an objection names it. Other rules need another round, which names the one it replaces.
3. Nobody decides alone: a doubtful record is judged by one and confirmed by a second, an objection is decided by whoever did not take it down, the
   final list has two signers. All act at the unit or above.
4. The random value that breaks the last ties comes from where the freeze said it would, on a day after it.
5. The list made public holds masked names, and for each row a salted commitment: whoever has the salt proves that a row is theirs, nobody finds out whose
   another is (民法典 art. 1034, 个人信息保护法 art. 25).
"""
