"""
The three copies of a form as a PDF: A4, one for each keeper (备案机关留存、居（村）委会留存、自存), each saying that it proves nothing else.

What the log knows stands on it; what is signed and sealed by hand has its room. Whoever prints it sees leaders in full, so each printing is noted.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ledger import categories, stations
from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, NotFound
from ledger.filing import forms, reading
from ledger.filing.reading import Application
from ledger.ids import new_entry_id
from ledger.kinds.filing import DECLARED, ITEMS, LEGAL_FORMS, SETTLED, TIERS
from ledger.people import accounts, actors, identity, volunteers
from ledger.people.actors import Actor
from ledger.people.vault import Personal
from ledger.policies import service_policy
from ledger.reports.report import day_words
from ledger.store import Ledger
from ledger.tables import EvidenceLookRow, table
from ledger.transactions import ReadTransaction
from ledger.typesetting import gap_names, gapped, missing, typeset

COPIES = {"authority": "备案机关留存", "committee": "居（村）委会留存", "own": "自存"}
TITLES = {
    "file": "社区社会组织备案申请表",
    "refile": "社区社会组织备案申请表",
    "change": "社区社会组织变更备案表",
    "cancel": "社区社会组织注销备案表",
}
NOTICE = "本表仅用于社区社会组织备案，不能作为其他任何证明；备案的社区社会组织不具有独立法人资格。"
_TEMPLATE = Path(__file__).with_name("paper.typ")
_LOOK = table(EvidenceLookRow)
_GONE = "（已按规定销毁）"
_UNAGREED = {"refused": "不同意", "returned": "退回修改", "replaced": "退回修改"}
"""What the last opinion was, by the state that it left; only what was returned is replaced."""


def print_copies(ledger: Ledger, actor: Actor, filing: str, copies: Sequence[str] = tuple(COPIES)) -> bytes:
    """Print copies (codes of COPIES) of an application as one PDF, and note who did. Raises NotFound, NotAllowed, InvalidRequest."""
    if not copies or any(copy not in COPIES for copy in copies):
        raise InvalidRequest(f"请选择印哪一份：{'、'.join(COPIES.values())}")
    with ledger.read() as tx:
        row = reading.get_row(tx, filing)
        actors.require(tx.connection, actor, "file", row.station)
        said = _said(tx, reading.open_application(tx, row), copies)
    note = {"id": new_entry_id(), "evidence": f"filing/{filing}", "account": actor.account}
    ledger.operate(lambda connection, now: insert_rows(connection, _LOOK, [note | {"looked_at": format_time(now)}]))
    return typeset(_TEMPLATE, said, datetime.fromisoformat(f"{row.asked_on}T00:00:00+08:00"), standard="a-2b")


def printed(tx: ReadTransaction, filing: str) -> int:
    """Count how often an application was printed."""
    return int(tx.connection.execute(select(func.count()).where(_LOOK.c.evidence == f"filing/{filing}")).scalar_one())


def _said(tx: ReadTransaction, opened: Application, copies: Sequence[str]) -> dict[str, Any]:
    """Say an application as it is printed. Raises NotFound when nobody is left on it."""
    row = opened.row
    if row.form != "cancel" and not any(opened.leaders):
        raise NotFound("这件申请里的个人资料已按规定销毁，不能再印。请看原来印好的三份")
    body = _closing(opened) if row.form == "cancel" else _changing(opened) if row.form == "change" else _filing(opened)
    parts = [*body, _opinions(tx, opened), *(_sheets(tx, opened) if row.form in ("file", "refile") else [])]
    years = service_policy(tx.connection, row.street_on or row.asked_on).filing_valid_years
    said = {
        "title": TITLES[row.form],
        "name": row.name,
        "unit": stations.get(tx.connection, row.street).name,
        "number": f"编号 {row.number}" if row.number else "编号　　　　　（备案时由街镇填写）",
        "made_on": [int(part) for part in row.asked_on.split("-")],
        "entry": row.entry_index,
        "notice": NOTICE + (f"本备案表有效期 {years} 年，到期需重新备案。" if row.form in ("file", "refile") else ""),
        "keepers": list(COPIES.values()),
        "copies": [COPIES[copy] for copy in copies],
        "parts": parts,
    }
    lacking = missing(_texts(said))
    printed_: dict[str, Any] = gapped(said, lacking)
    return printed_ | {"lacking": gap_names(lacking)}


def _texts(said: Any) -> list[str]:
    if isinstance(said, str):
        return ["".join(said.split())]
    values = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return [text for value in values for text in _texts(value)]


def _part(kind: str, rows: Sequence[Any], title: str = "", *, new_page: bool = False, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "title": title, "rows": list(rows), "new_page": new_page, **more}


def _filing(opened: Application) -> list[dict[str, Any]]:
    row, said, paper = opened.row, opened.said, _paper(opened)
    main = opened.leaders[0]
    body = [
        ["组织名称", row.name],
        ["备案编号", row.number or "", "备案日期", _day(row.street_on) if row.state == "agreed" else ""],
        ["组织类别", LEGAL_FORMS[said["legal_form"]], "业务类别", _category(said)],
        ["活动地域", said["area"], "管理层级", TIERS[said["tier"]]],
        ["活动场所地址", paper.get("premises", ""), "面积", f"{said['premises_area']} 平方米" if said["premises_area"] else ""],
        ["会员数", f"{said['members'] or ''}", "工作人员数", f"{said['staff'] or ''}"],
        ["主要负责人", _of(main, "name"), "电话", _of(main, "phone")],
        ["职务", _of(main, "post"), "章程", f"{_day(said['charter']['adopted_on'])}通过，每届 {said['charter']['term_years']} 年"],
        ["联系人", f"{paper.get('contact_name', '')}　{paper.get('contact_post', '')}", "电话", paper.get("contact_phone", "")],
        ["宗旨", said["purpose"]],
        ["业务范围", said["scope"]],
    ]
    return [_part("fields", body), _leader_list(opened)]


def _sheets(tx: ReadTransaction, opened: Application) -> list[dict[str, Any]]:
    """Say what is behind the application: the main leader's sheet, and the roster."""
    names = _roster(tx, _paper(opened).get("roster", ""))
    people = opened.said["roster"]["people"]
    roster = [_part("names", names, f"人员名册（{people} 人）")] if names else []
    return [_part("fields", _main_sheet(opened.leaders[0]), "主要负责人情况", new_page=True), *roster]


def _changing(opened: Application) -> list[dict[str, Any]]:
    said, paper, main = opened.said, _paper(opened), opened.leaders[0]
    body = [
        ["组织名称", opened.row.name],
        ["备案编号", opened.row.number or "", "变更日期", _day(opened.row.street_on) if opened.row.state == "agreed" else ""],
        ["主要负责人", _of(main, "name"), "电话", _of(main, "phone")],
        ["变更的事项", "、".join(ITEMS[item] for item in said["items"])],
        ["变更前内容", paper.get("before", "")],
        ["变更后内容", paper.get("after", "")],
        ["申请变更理由", said["reason"]],
        ["履行的内部程序", _procedure(said["procedure"])],
    ]
    return [_part("fields", body), *([_leader_list(opened)] if "leader" in said["items"] else [])]


def _closing(opened: Application) -> list[dict[str, Any]]:
    said, paper = opened.said, _paper(opened)
    body = [
        ["组织名称", opened.row.name],
        ["备案编号", opened.row.number or "", "注销日期", _day(opened.row.street_on) if opened.row.state == "agreed" else ""],
        ["住所", paper.get("premises", "")],
        ["主要负责人", paper.get("leader_name", ""), "电话", paper.get("leader_phone", "")],
        ["申请注销理由", said["reason"]],
        ["履行的内部程序", _procedure(said["procedure"])],
        ["债权债务的清算情况", paper.get("debts_note", "")],
        ["退还原备案表等记录", paper.get("papers_note", "")],
        ["办结清单", "\n".join(f"{place}. {SETTLED[key]}" for place, key in enumerate(said["settled"], 1))],
    ]
    return [_part("fields", body)]


def _leader_list(opened: Application) -> dict[str, Any]:
    keys = ("name", "employer", "politics", "id_number", "post")
    rows = [[_of(one, key) for key in keys] + [""] for one in opened.leaders]
    headers = ["姓名", "工作单位及职务", "政治面貌", "身份证号码", "在本组织职务", "签名"]
    return _part("grid", rows, "负责人名单（理事长、副理事长、秘书长）", headers=headers, widths=[9, 17, 10, 19, 13, 10])


def _main_sheet(main: Personal | None) -> list[list[str]]:
    number = _of(main, "id_number")
    born = identity.birth_date(number) if number and number != _GONE else None
    return [
        ["姓名", _of(main, "name"), "性别", _of(main, "sex")],
        ["出生年月", f"{born.year}年{born.month}月" if born else "", "籍贯", _of(main, "native_place")],
        ["文化程度", _of(main, "education"), "政治面貌", _of(main, "politics")],
        ["工作单位及职务", _of(main, "employer"), "手机", _of(main, "phone")],
        ["家庭住址", _of(main, "address")],
        ["在本组织的职务", _of(main, "post"), "其他社会职务", _of(main, "other_posts")],
        ["本人简历", _of(main, "resume")],
        ["本人签名", "　\n　　　　　　　　　　　　　　　　　　　　　　年　　月　　日"],
    ]


def _opinions(tx: ReadTransaction, opened: Application) -> dict[str, Any]:
    row = opened.row
    units = stations.names(tx.connection, {row.station, row.street})
    logins = accounts.logins(tx.connection, {who for who in (row.community_by, row.street_by) if who})
    declared = [f"{place}. {DECLARED[key]}" for place, key in enumerate(opened.said["declared"], 1)]
    steps = [_opinion("负责人声明", ["本人声明：", *declared], f"签名　　　　　　　{_day(opened.said['declared_on'])}")]
    for step, who in (("community", "居（村）委会意见"), ("street", "备案机关意见")):
        if step == "community" and row.station == row.street:
            continue
        by, on = getattr(row, f"{step}_by"), getattr(row, f"{step}_on")
        unit = units[row.station if step == "community" else row.street]
        last = on and row.state in _UNAGREED and (step == "street" or not row.street_on)
        words = _UNAGREED[row.state] if last else "同意"
        lines = [f"{words}。{row.reason or '' if last else ''}"] if on else ["同意（　）　　不同意（　）"]
        signed = f"{unit}（盖章）　经办 {logins.get(by, by)}　{_day(on)}" if on else ""
        steps.append(_opinion(who, lines, signed))
    return _part("opinions", steps, "意见")


def _opinion(who: str, lines: list[str], signed: str) -> dict[str, Any]:
    return {"who": who, "lines": lines, "signed": signed}


def _paper(opened: Application) -> Mapping[str, str]:
    return opened.paper.contact if opened.paper is not None else {}


def _of(one: Personal | None, key: str) -> str:
    return _GONE if one is None else one.identity.get(key) or one.contact.get(key) or ""


def _roster(tx: ReadTransaction, said: str) -> list[str]:
    people, numbers = forms.roster(said)
    masked = volunteers.masked_names(tx, numbers)
    return [*people, *(f"{masked.get(number, '')}（志愿者 {number}）" for number in numbers)]


def _category(said: Mapping[str, Any]) -> str:
    return categories.name_of(said["scheme"], said["category"]) + ("，志愿服务组织" if said["volunteer_organisation"] else "")


def _procedure(held: Mapping[str, Any]) -> str:
    return f"{_day(held['held_on'])}召开成员会议，应到 {held['members']} 人，到会 {held['present']} 人，同意 {held['agreed']} 人，1 人 1 票，表决通过。"


def _day(text: str | None) -> str:
    return day_words(date.fromisoformat(text)) if text else ""
