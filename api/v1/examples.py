"""
Examples: one request for every operation, shown on the page of the API as a command that can be typed.

The numbers in them stand for somebody's own; a test puts real ones in their place and runs every command as the page shows it.
"""

from typing import Any, NamedTuple

import orjson

STATION, VOLUNTEER, ACTIVITY, ORGANISATION, WEBHOOK = "340104001004", "K7M2Q9XP4R", "8HX3M5T7WQ", "5RT8V2N6KC", "W3C9H7M4XA"
ROW, KEY, BATCH = "0198f2c4-7a10-7c3e-9f52-3b8e6a1d4c70", "0198f2c5-1b22-7d4a-8e61-5c9f7b2e3d81", "0198f2c5-1b22-7d4a-8e61-5c9f7b2e3d82"
CERTIFICATE = "340104-2026-000001"
OTHER = "M4WQ7X2P9K"
ACCEPTED, REFUSED = "0198f2c6-2c33-7e5b-9d72-6dae8c3f4e92", "0198f2c6-2c33-7e5b-9d72-6dae8c3f4e93"
"""Matters that wait for a second person."""
DRAFT, READY, FROZEN, RANKED, PUBLIC, ENDED = "DRAFT7K2M9", "READY4C7V5", "FRZEN5H8Q2", "RANKD6P3X9", "PUBLC3X7N4", "ENDED9W6T8"
"""Selections as far as their names say; the publicity of the last is over."""
DOUBTED, PROPOSED, WITHDRAWN, LIST_OBJECTION = 1205, 1206, 1207, 1208
DRAWN_ON = "2025-02-03"
STATUS_KEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
APPROVED, CORRECTED, VOIDED, OBJECTION = 1201, 1202, 1203, 1204
ID_NUMBER = "11010519491231002X"
"""The one with which GB 11643 shows its check character; nobody's."""
_ROOT = "/api/v1"


class Example(NamedTuple):
    """A request: what stands for the placeholders of the path, the query, the body; whether it takes a key."""

    path: str
    body: Any = None
    keyed: bool = False


_RULES = {"name": "优秀志愿者", "quota": 20, "minimum_minutes": 600}
_SERVICE = {
    "volunteer": VOLUNTEER,
    "activity": ACTIVITY,
    "station": STATION,
    "start": "2025-01-20T09:00:00+08:00",
    "end": "2025-01-20T11:30:00+08:00",
    "grade": "B",
}
EXAMPLES = {
    "GET /service-records": Example(f"/service-records?station={STATION}&limit=100"),
    "POST /service-records": Example("/service-records", _SERVICE, keyed=True),
    "POST /service-records/batch": Example("/service-records/batch", {"id": BATCH, "records": [_SERVICE]}),
    "GET /service-records/{index}": Example(f"/service-records/{APPROVED}"),
    "POST /service-records/approvals": Example("/service-records/approvals", {"indexes": [APPROVED]}, keyed=True),
    "POST /service-records/second-signatures": Example(
        "/service-records/second-signatures",
        _SERVICE | {"start": "2025-01-05T08:00:00+08:00", "end": "2025-01-05T19:30:00+08:00", "reason": "汛期值守，有值班表"},
        keyed=True,
    ),
    "POST /service-records/{index}/corrections": Example(
        f"/service-records/{CORRECTED}/corrections",
        {"start": "2025-01-07T09:00:00+08:00", "end": "2025-01-07T10:30:00+08:00", "reason": "签退时间抄错，已与本人核对"},
        keyed=True,
    ),
    "POST /service-records/{index}/voids": Example(f"/service-records/{VOIDED}/voids", {"reason": "签到表重复登记"}, keyed=True),
    "GET /objections": Example(f"/objections?station={STATION}&waiting=yes"),
    "POST /objections/{index}/decisions": Example(
        f"/objections/{OBJECTION}/decisions", {"finding": "rejected", "reason": "签到表上有本人签名，时间相符"}, keyed=True
    ),
    "GET /activities": Example(f"/activities?station={STATION}&start_from=2025-01-01"),
    "POST /activities": Example(
        "/activities",
        {
            "station": STATION,
            "title": "看望独居老人",
            "series": "neighbour-care",
            "start": "2025-01-20T14:00:00+08:00",
            "end": "2025-01-20T16:00:00+08:00",
            "beneficiaries": ["elderly"],
        },
        keyed=True,
    ),
    "GET /activities/{number}": Example(f"/activities/{ACTIVITY}"),
    "GET /volunteers": Example(f"/volunteers?station={STATION}&confirmed=no"),
    "POST /volunteers": Example("/volunteers", {"name": "示例", "id_number": ID_NUMBER, "station": STATION}, keyed=True),
    "GET /volunteers/{number}": Example(f"/volunteers/{VOLUNTEER}"),
    "POST /volunteers/find": Example("/volunteers/find", {"id_number": ID_NUMBER}),
    "GET /volunteers/{number}/credit": Example(f"/volunteers/{VOLUNTEER}/credit"),
    "GET /volunteers/{number}/credit/explanation": Example(f"/volunteers/{VOLUNTEER}/credit/explanation?rules=star"),
    "GET /volunteers/{number}/record": Example(f"/volunteers/{VOLUNTEER}/record"),
    "POST /trainings": Example(
        "/trainings",
        {
            "station": STATION,
            "title": "急救员培训",
            "content": "心肺复苏、创伤包扎",
            "minutes": 180,
            "organiser": "区红十字会",
            "trained_on": "2025-01-06",
            "volunteers": [VOLUNTEER],
        },
        keyed=True,
    ),
    "POST /evaluations": Example(
        "/evaluations", {"activity": ACTIVITY, "volunteer": VOLUNTEER, "quality": "good", "remark": "耐心细致"}, keyed=True
    ),
    "POST /awards": Example(
        "/awards",
        {"volunteer": VOLUNTEER, "title": "优秀志愿者", "unit": "竹荫里社区居委会", "level": "station", "granted_on": "2025-01-03"},
        keyed=True,
    ),
    "GET /matters": Example("/matters"),
    "POST /matters/{matter}/acceptances": Example(f"/matters/{ACCEPTED}/acceptances", keyed=True),
    "POST /matters/{matter}/refusals": Example(f"/matters/{REFUSED}/refusals", {"remark": "确认书上没有本人签名"}, keyed=True),
    "POST /volunteers/{number}/confirmations": Example(
        f"/volunteers/{VOLUNTEER}/confirmations", {"evidence": "mJ0cQ1tq0T6b1m8cPzv9Xo3d5uFw7yKe2aRr4sLhNgE="}, keyed=True
    ),
    "POST /volunteers/{number}/merges": Example(
        f"/volunteers/{VOLUNTEER}/merges", {"into": OTHER, "reason": "身份证号抄错一位，两份证件已核对"}, keyed=True
    ),
    "GET /certificates": Example(f"/certificates?station={STATION}"),
    "POST /certificates": Example("/certificates", {"volunteer": VOLUNTEER, "period_from": "2024-01-01"}, keyed=True),
    "GET /certificates/{certificate}": Example(f"/certificates/{CERTIFICATE}"),
    "POST /certificates/{certificate}/credentials": Example(f"/certificates/{CERTIFICATE}/credentials", {"way": "jwt"}),
    "GET /credentials/keys": Example("/credentials/keys"),
    "GET /credentials/status-lists/{key}/{number}": Example(f"/credentials/status-lists/{STATUS_KEY}/1"),
    "POST /certificates/{certificate}/revocations": Example(
        f"/certificates/{CERTIFICATE}/revocations", {"reason": "依据的一条记录登记有误，已作废"}, keyed=True
    ),
    "GET /parked-rows": Example("/parked-rows"),
    "POST /parked-rows/records": Example("/parked-rows/records", {"ids": [ROW]}, keyed=True),
    "DELETE /parked-rows/{row}": Example(f"/parked-rows/{ROW}"),
    "GET /organisations": Example("/organisations?category=charity"),
    "POST /organisations": Example(
        "/organisations",
        {
            "number": "皖备2025-018",
            "name": "天鹅湖互助社",
            "category": "charity",
            "volunteer_organisation": True,
            "station": STATION,
            "basis": "filed",
            "since": "2024-10-01",
        },
        keyed=True,
    ),
    "GET /organisations/{number}": Example(f"/organisations/{ORGANISATION}"),
    "GET /stations": Example("/stations?level=station"),
    "POST /stations": Example(
        "/stations", {"code": STATION, "name": "天鹅湖社区社会服务站", "level": "station", "parent": "340104001000"}, keyed=True
    ),
    "GET /stations/{code}": Example(f"/stations/{STATION}?on=2025-01-01"),
    "GET /calendars/{year}": Example("/calendars/2025"),
    "POST /calendars": Example(
        "/calendars",
        {"year": 2027, "rest": ["2027-01-01"], "work": ["2027-02-06"], "source": "国务院办公厅关于 2027 年部分节假日安排的通知"},
        keyed=True,
    ),
    "GET /policies": Example("/policies"),
    "GET /rates": Example("/rates?year=2025"),
    "GET /published-rates": Example(f"/published-rates?station={STATION}"),
    "GET /indicators": Example(f"/indicators?year=2025&station={STATION}"),
    "GET /spot-checks": Example(f"/spot-checks?station={STATION}"),
    "POST /selections/recheck": Example("/selections/recheck?year=2025", _RULES),
    "GET /selections": Example("/selections"),
    "POST /selections": Example("/selections", {"station": STATION, "year": 2024, "rules": _RULES}, keyed=True),
    "GET /selections/{selection}": Example(f"/selections/{FROZEN}"),
    "POST /selections/{selection}/versions": Example(
        f"/selections/{DRAFT}/versions",
        {
            "year": 2024,
            "rules": _RULES | {"quota": {"per_1000": 2}, "tie_break": ["minutes_ab", "random"]},
            "random_source": "冻结后第一期双色球的开奖号码",
        },
        keyed=True,
    ),
    "POST /selections/{selection}/freezes": Example(f"/selections/{READY}/freezes", keyed=True),
    "GET /selections/{selection}/checks": Example(f"/selections/{FROZEN}/checks?light=green"),
    "GET /selections/{selection}/doubts": Example(f"/selections/{FROZEN}/doubts"),
    "POST /selections/{selection}/doubts/{service}/proposals": Example(
        f"/selections/{FROZEN}/doubts/{DOUBTED}/proposals", {"finding": "drop", "reason": "签到表上没有这个时间"}, keyed=True
    ),
    "POST /selections/{selection}/doubts/{service}/confirmations": Example(
        f"/selections/{FROZEN}/doubts/{PROPOSED}/confirmations", keyed=True
    ),
    "POST /selections/{selection}/doubts/{service}/withdrawals": Example(
        f"/selections/{FROZEN}/doubts/{WITHDRAWN}/withdrawals", keyed=True
    ),
    "GET /selections/{selection}/ranking": Example(f"/selections/{FROZEN}/ranking"),
    "POST /selections/{selection}/draws": Example(
        f"/selections/{FROZEN}/draws", {"value": "03 08 16 22 27 31 + 09", "drawn_on": DRAWN_ON}, keyed=True
    ),
    "POST /selections/{selection}/publications": Example(f"/selections/{RANKED}/publications", keyed=True),
    "GET /selections/{selection}/publications": Example(f"/selections/{PUBLIC}/publications"),
    "GET /selections/{selection}/objections": Example(f"/selections/{PUBLIC}/objections"),
    "POST /selections/{selection}/objections": Example(
        f"/selections/{PUBLIC}/objections", {"ground": "unfit", "row": 1, "words": "来电反映，他那天不在"}, keyed=True
    ),
    "POST /selections/{selection}/objections/{index}/decisions": Example(
        f"/selections/{PUBLIC}/objections/{LIST_OBJECTION}/decisions",
        {"finding": "rejected", "reason": "签到表上有他，两个人作证"},
        keyed=True,
    ),
    "POST /selections/{selection}/signatures": Example(f"/selections/{ENDED}/signatures", {}, keyed=True),
    "GET /webhooks": Example("/webhooks"),
    "POST /webhooks": Example("/webhooks", {"url": "https://example.org/hooks", "kinds": ["service.recorded"]}, keyed=True),
    "GET /webhooks/{number}": Example(f"/webhooks/{WEBHOOK}"),
    "DELETE /webhooks/{number}": Example(f"/webhooks/{WEBHOOK}"),
    "POST /webhooks/{number}/replays": Example(f"/webhooks/{WEBHOOK}/replays", {"index": 0}, keyed=True),
    "POST /webhooks/{number}/secrets": Example(f"/webhooks/{WEBHOOK}/secrets", keyed=True),
    "GET /jobs": Example("/jobs"),
    "GET /entries/{index}": Example(f"/entries/{APPROVED}"),
    "GET /entries/{index}/proof": Example(f"/entries/{APPROVED}/proof"),
    "GET /checkpoint": Example("/checkpoint"),
    "GET /proofs/consistency": Example("/proofs/consistency?old=1"),
}


def command(method: str, path: str, scope: str | None, address: str) -> str:
    """Write the example of an operation as a command. *address*: where this application is."""
    one = EXAMPLES[f"{method} {path.removeprefix(_ROOT)}"]
    lines = [f"curl -X {method} '{address.rstrip('/')}{_ROOT}{one.path}'"]
    if scope:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if one.keyed:
        lines.append(f"-H 'Idempotency-Key: {KEY}'")
    if one.body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{orjson.dumps(one.body).decode()}'")
    return " \\\n  ".join(lines)
