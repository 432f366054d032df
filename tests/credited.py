"""A credit record with everything in it: one fact of each kind beside services, and what later undoes them."""

from ledger.log import Fact


def write_everything(world, people: list[str]) -> list[int]:
    """Say of two people and the town's organisation whatever a credit record can hold, some of it undone. Returns the entries, in order."""
    [(service, activity)] = world.sql(f"SELECT entry_index, activity FROM service WHERE volunteer = '{people[1]}'")
    [(organisation,)] = world.sql("SELECT id FROM organisation")
    [(station,)] = world.sql(f"SELECT station FROM volunteer WHERE number = '{people[1]}'")
    person, unit = {"volunteer": people[1], "station": station}, {"organisation": organisation, "station": station}
    training = {
        "volunteers": people[:2],
        "station": station,
        "title": "急救员培训",
        "content": "心肺复苏",
        "minutes": 180,
        "organiser": "区红十字会",
    }
    evaluated = {**person, "activity": activity, "quality": "good", "evaluated_on": "2025-01-20", "by": "organiser"}
    award = {"station": station, "title": "优秀志愿者", "unit": "街道办事处", "level": "centre", "granted_on": "2025-01-15"}
    act = {"station": station, "item": "false-hours", "occurred_on": "2025-01-10", "reason": "请人代签到", "asked_by": "clerk"}
    lifted = {"ground": "repaired", "reason": "已满期限", "lifted_on": "2025-01-25", "asked_by": "clerk"}
    note = {
        **unit,
        "list": "warned",
        "basis": "民政部令第60号",
        "reason": "未报年度工作报告",
        "noted_on": "2025-01-12",
        "asked_by": "clerk",
    }

    def say(kind, **body):
        return world.write(lambda tx: tx.append([Fact(kind, body)]))[0].index

    first = say("training.recorded", **training, trained_on="2025-01-08", organisation=organisation)
    judged = say("evaluation.recorded", **evaluated, service=service, organisation=organisation, remark="耐心")
    best = say("award.granted", **award, volunteer=people[1], evidence="A" * 43 + "=", asked_by="clerk", selection="2025-1", rank=1)
    bad = say("conduct.recorded", **act, sense="bad", volunteer=people[1], basis="某法第一条", expires_on="2026-01-10", effects=["hours"],
              services=[service], points=300)  # fmt: skip
    said = [
        first,
        say("training.voided", training=first, volunteers=people[1:2], station=station, reason="没有到场"),
        judged,
        say("evaluation.voided", **person, evaluation=judged, reason="评错了人"),
        best,
        say("award.withdrawn", award=best, station=station, reason="颁发单位撤销", asked_by="clerk", volunteer=people[1]),
        say("award.granted", **award, organisation=organisation),
        bad,
        say("conduct.lifted", conduct=bad, volunteer=people[1], station=station, **lifted),
        say("conduct.recorded", **act, sense="good", organisation=organisation),
        say(
            "organisation.appraised",
            **unit,
            appraiser="committee",
            name="社区居委会",
            grade="good",
            opinion="较好",
            appraised_on="2025-01-18",
        ),
    ]
    listed = say("organisation.credit_noted", **note, mend_by="2025-03-01")
    spent = {"policy": "credit/quarterly", "points": 200, "purpose": "兑换理发一次", "spent_on": "2025-01-26"}
    return [*said, listed, say("organisation.credit_lifted", **unit, note=listed, **lifted), say("points.spent", **person, **spent)]
