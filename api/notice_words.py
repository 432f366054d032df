"""
The words of notices: made when a notice is shown, from its code and from how the record it is about stands now.

Who is told (a volunteer, or somebody of the staff) decides where a notice leads. A code without words of its own is shown all the same: nobody is kept
from a notice by a missing sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from api.wording import ACCOUNT_CHANGES, hours, long_day
from ledger import activities, stations
from ledger.bulk import rows_where_in
from ledger.kinds.credit import QUALITIES
from ledger.kinds.filing import FORMS, OUTCOMES
from ledger.kinds.service import CLAIMS, FINDINGS
from ledger.notices import About, Notice
from ledger.people.proposals import KINDS as PROPOSED
from ledger.record.items import name_of
from ledger.service.drafts import duration
from ledger.tables import (
    AwardRow,
    ConductRow,
    EvaluationRow,
    FilingApplicationRow,
    ObjectionRow,
    OmissionRow,
    OrganisationRow,
    ProposalRow,
    ServiceRow,
    TrainingRow,
    table,
)
from ledger.transactions import ReadTransaction

_SERVICE, _OBJECTION, _OMISSION, _PROPOSAL = table(ServiceRow), table(ObjectionRow), table(OmissionRow), table(ProposalRow)
WORDS = {
    "service.recorded": ("登记了一次服务", "站点为您登记了这次服务，等另一位工作人员审核。不对的话，现在就可以说。"),
    "service.approved": ("审核通过，开始公示", "公示期满后自动计入您的时长，不用您做什么。"),
    "service.corrected": ("一条记录更正了", "这条记录的时间改过了，改好的要再审核一次。"),
    "service.voided": ("一条记录作废了", "这条记录不再计入。不同意的话，可以提出异议。"),
    "batch.voided": ("一整批记录作废了", "这一批登记有误，已整批作废，不再计入。"),
    "service.contested": ("志愿者提出了异议", "志愿者认为这条记录不对，请在期限前核查答复。"),
    "service.objection_decided": ("您的异议有结果了", "结果和理由在下面，也写进了账本。"),
    "service.omission_claimed": ("志愿者说有一次没记上", "账本里没有这次服务的记录，请在期限前对照签到表核查答复。"),
    "service.omission_decided": ("没记上的那次，有结果了", "结果和理由在下面，也写进了账本。"),
    "receipt.unmatched": ("有回执在账本里对不上", "本人拿着回执，账本里没有那一条。请马上看原件；没有抄错的，告诉审计员。"),
    "objection.not_me": ("志愿者说「不是我」", "可能写错了人，或者有人冒用。记录已停止计入，要由您这一级来查。"),
    "objection.overdue": ("下级站点有异议过期没有答复", "请催办，或者由您这一级直接处理。"),
    "objection.taken_down": ("服务台替您提了异议", "工作人员照您说的记下了这条异议，会有别的人来查。您没有说过的，请马上告诉站点。"),
    "service.omission_taken_down": (
        "服务台替您记下了没记上的一次",
        "工作人员照您说的记下来了，会有别的人来查。您没有说过的，请马上告诉站点。",
    ),
    "objection.goes_on": ("整批作废了，您的异议照常处理", "您说过这一条时间不对或少记了。记录虽然整批作废，异议还在查：确实来过的会补记。"),
    "activity.cancelled": ("您报名的活动不办了", "这次不用去了。"),
    "proposal.declined": ("有一件申请没有同意", "没有任何改动。理由在下面。"),
    "service.second_wanted": ("有一条登记要第二个人签", "这一条超过每日上限，要另一位工作人员核实后签。"),
    "service.second_signed": ("第二个人签好了", "您提出的超限登记已核实，记入账本。"),
    "service.second_declined": ("第二个人没有同意", "您提出的超限登记没有通过，请看理由。"),
    "duties.waiting": ("有材料到期要交", "月报、台账、检查这些，还有交办的任务，最后一天和逾期没交的，请在「材料」里看。"),
    "approvals.waiting": ("有记录等您审核", "请在「审核」里处理；过了期限才登记的，要上一级审核。"),
    "objections.waiting": ("有异议等您处理", "请在期限前核查答复；过了期限的，上一级也看得到。"),
    "proposals.waiting": ("有待办", "确认、更正、合并、转站，奖励、守信失信，要您这第二个人办理。"),
    "training.recorded": ("登记了一次培训", "学习时长另算，不是服务时长。没有参加的，请告诉站点。"),
    "training.voided": ("一条培训记录作废了", "不对的话，请到站点说明。"),
    "evaluation.recorded": ("有了一次评价", "在「我的信用记录」里可以看到。"),
    "evaluation.voided": ("一条评价作废了", "评错了的，会重新评。"),
    "award.granted": ("一项奖励记进来了", "在「我的信用记录」里可以看到。"),
    "award.withdrawn": ("一项奖励撤销了", "不同意的话，请到站点说明。"),
    "conduct.good": ("记了一条守信", "在「我的信用记录」里可以看到。"),
    "conduct.bad": ("记了一条失信", "依据、期限、怎么修复都写在里面；不同意的，在那一条下面说，由没有经手的人来判断。"),
    "conduct.lifted": ("一条守信失信记录撤下了", "结果和理由在下面，也写进了账本。"),
    "points.spent": ("用了积分", "积分另记一本账，服务时长一分钟也不会少。"),
    "proposal.asked": ("有一件事等第二个人决定", "请在「待办」里看清楚再决定。"),
    "filing.asked": ("有一件备案等意见", "社区社会组织的申请交上来了，请打开看清楚，再出意见。"),
    "filing.heard": ("有一件备案等备案机关意见", "居（村）委会已经同意，请街镇的审核员出意见。"),
    "filing.judged": ("您交的备案有结果了", "打开看意见；退回的，改好可以再交。"),
    "filing.expiring": ("有组织的备案快到期", "请联系组织，到期前办重新备案。"),
    "handover.asked": ("有一件报送等人同意", "要把本站志愿者的记录交到国家指定的系统，请看清楚为什么、交给谁，再决定。"),
    "handover.agreed": ("报送有人同意了", "一天之内取文件，只能取一次。"),
    "task.assigned": ("交来一项任务", "谁办、哪天前办好、依据什么，在「任务清单」里看；办好了把结果写进去。"),
    "organisation.dormant": ("有组织一年没有活动", "请问问情况。不再活动的，商量好再办注销备案；系统不会自动除名。"),
    "duties.draft": ("当月备案台账数好了", "组织数由账本数出来了，看一下、写上变更情况就能交。"),
    "filing.lapsed": ("有组织的备案已到期", "请办重新备案；不再活动的，办注销备案。"),
    "certificate.issued": ("证明开好了", "可以在「我的证明」里打开、打印。"),
    "certificate.revoked": ("证明已撤销", "原来那份不再有效。要新的，请到站点办理。"),
    "account.code_issued": ("给您办了一次性登录码", "不是您要求的话，请马上告诉站点。"),
    "account.password_changed": ("您的密码改过了", "不是您自己改的话，请马上到站点重办登录码。"),
    "account.changed": ("您的账号有变动", "不是您要办的话，请马上告诉站点，或没有经手的那位管理员。"),
    "selection.contested": ("评选名单有人提异议", "请在期限前查清、答复。"),
    "selection.objection_decided": ("您对评选名单的异议有结果了", "结果和理由在下面，也写进了账本。"),
    "selection.doubt": (
        "评选时核查了您的一条记录",
        "这条记录在这次评选里没有算，或者退回核实；您的时长没有变。不同意的，公示时可以提异议。",
    ),
    "selection.chosen": ("恭喜，您评上了", "表彰已经写进账本。凭据在「我的评选」里。"),
    "spot_check.wrong": ("抽查发现一条不属实", "请对照签到表、问本人，更正或作废这一条。"),
    "rules.proposed": ("有一份信用规则等您确认", "请看清楚和上一版差在哪里，再确认或退回。"),
    "indicators.proposed": ("有一张指标表等您确认", "请看清楚和现在的差在哪里，再确认或退回。"),
    "weights.proposed": ("有一组评估权重等您确认", "请看清楚和现在的差在哪里，再确认或退回。"),
    "rules.adopted": ("星级、积分的规则有新的", "按新规则怎么算、差多少，打开可以看到每一条。服务时长不受影响。"),
    "volunteer.moved": ("换了所属站点", "以后的事请找新的站点。以前的记录都在。"),
    "volunteer.revealed": ("有人看过您的登记信息", "谁、什么时候、为什么，都记在「我的资料」里。"),
}
OTHER = ("有一件和您有关的事", "详情请看账本里的这一条，或问站点工作人员。")
_OF_STAFF = {
    "duties.waiting": "duties.listing",
    "duties.draft": "duties.listing",
    "task.assigned": "tasks.listing",
    **dict.fromkeys(("handover.asked", "handover.agreed"), "handovers.listing"),
    "organisation.dormant": "organisations.listing",
    "approvals.waiting": "approvals.listing",
    "objections.waiting": "objections.listing",
    "proposals.waiting": "proposals.listing",
    "service.contested": "objections.listing",
    "service.omission_claimed": "objections.listing",
    "receipt.unmatched": "objections.listing",
    "objection.not_me": "objections.listing",
    "selection.contested": "selections.listing",
    "objection.overdue": "objections.listing",
    "proposal.declined": "proposals.listing",
    "proposal.asked": "proposals.listing",
    "service.second_wanted": "approvals.listing",
    "filing.asked": "filings.queue",
    "filing.heard": "filings.queue",
    **dict.fromkeys(("filing.judged", "filing.expiring", "filing.lapsed"), "filings.listing"),
    "account.changed": "security.page",
    "account.password_changed": "security.page",
    **dict.fromkeys(("rules.proposed", "rules.adopted"), "rules.listing"),
    "indicators.proposed": "indicator_sets.listing",
    "weights.proposed": "appraisals.listing",
}
_OF_VOLUNTEERS = {
    "service.omission_decided": "omissions.form",
    "service.omission_taken_down": "omissions.form",
    "activity.cancelled": "coming.listing",
    "proposal.declined": "registration.mine",
    **dict.fromkeys(("training.recorded", "training.voided", "evaluation.recorded", "evaluation.voided", "points.spent"), "record.mine"),
    **dict.fromkeys(("award.granted", "award.withdrawn", "conduct.good", "conduct.bad", "conduct.lifted"), "record.mine"),
    "certificate.issued": "certificates.mine",
    "certificate.revoked": "certificates.mine",
    "selection.chosen": "honours.mine",
    "rules.adopted": "rules.mine",
    "selection.objection_decided": "honours.listing",
    "volunteer.moved": "registration.mine",
    "volunteer.revealed": "my_data.looked",
    "account.code_issued": "security.page",
    "account.password_changed": "security.page",
    "account.changed": "security.page",
}


_PUT_RIGHT = ("service.corrected", "service.voided", "batch.voided")
"""What tells of a record's own reason; every other notice has the reason of what it tells, or none."""
_ASKED = ("service.contested", "objection.not_me", "objection.overdue", "service.omission_claimed", "receipt.unmatched")
"""What asks the staff to look into something: once that is decided, the notice says so."""
_REASONS = {
    table(TrainingRow): ("training", "voided_reason"),
    table(EvaluationRow): ("evaluation", "voided_reason"),
    table(AwardRow): ("award", "withdrawn_reason"),
    table(ConductRow): ("conduct", "lifted_reason"),
}
"""Where the reason stands why something of a credit record does not stand any more."""
_POINTED = ("objection", "omission", "proposal", "activity", "training", "evaluation", "award", "conduct")
_OF_RECORDS = ("served_on", "minutes", "entry")
"""What the record that a notice is about says better itself."""
_LABELS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "title": ("活动", str),
    "subject": ("哪一项", str),
    "rules": ("规则", str),
    "indicators": ("指标表", str),
    "from_day": ("从哪天起", long_day),
    "kind": ("什么事", lambda kind: PROPOSED.get(kind, kind)),
    **dict.fromkeys(("training", "evaluation", "award", "conduct"), ("账本", lambda index: f"第 {index} 条")),
    "served_on": ("时间", long_day),
    "minutes": ("时长", duration),
    "certificate": ("证明编号", str),
    "entry": ("账本", lambda index: f"第 {index} 条"),
    "station": ("站点", str),
    "claim": ("认为", lambda claim: CLAIMS.get(claim, claim)),
    "finding": ("结果", lambda finding: FINDINGS.get(finding, finding)),
    "reason": ("理由", str),
    "count": ("多少", lambda count: f"{count} 条"),
    "effective_on": ("计入", lambda day: f"{long_day(day)}起"),
    "change": ("变动", lambda change: ACCOUNT_CHANGES.get(change, change)),
    "done": ("现在", str),
    "form": ("什么事", lambda form: FORMS.get(form, form)),
    "outcome": ("结果", lambda outcome: OUTCOMES.get(outcome, outcome)),
    "expires_on": ("有效期到", long_day),
    "quiet_since": ("最近一次活动", long_day),
    "due_on": ("期限", lambda day: f"{long_day(day)}前"),
}


@dataclass(frozen=True)
class Shown:
    """A notice in words. *facts*: what it is about, label by label; *link*: where to see it, if there is such a place."""

    title: str
    sentence: str
    facts: list[tuple[str, str]]
    link: str | None
    told_at: str
    unread: bool


def shown(tx: ReadTransaction, notices: Sequence[Notice], *, volunteer: bool) -> list[Shown]:
    """Put notices into words, with the records they are about as they stand now."""
    indexes = {index for notice in notices if isinstance(index := notice.about.get("service"), int)}
    rows = {row.entry_index: row for row in rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.entry_index, indexes)}
    titles = activities.get_many(tx.connection, {row.activity for row in rows.values()})
    places = stations.names(tx.connection, {str(notice.about["station"]) for notice in notices if "station" in notice.about})
    more = _said_elsewhere(tx, notices)
    teams = _organisations(tx, notices)
    found = []
    for notice in notices:
        row = rows.get(int(notice.about.get("service", -1)))
        title, sentence = WORDS.get(notice.what, OTHER)
        facts = _record(row, titles, why=notice.what in _PUT_RIGHT) if row is not None else []
        facts += _facts({**notice.about, **more[notice.id]}, places, known=row is not None)
        facts += [("组织", name)] if (name := teams.get(notice.id)) else []
        link = _link(notice, volunteer=volunteer)
        found.append(Shown(title, sentence, facts, link, notice.told_at, notice.unread))
    return found


def _record(row: Any, titles: dict[str, Any], *, why: bool) -> list[tuple[str, str]]:
    """Say what a record is, as it stands now. *why*: and for which reason it was put right."""
    when = f"{long_day(row.served_on)} {hours(row.start, row.end)}，{duration(row.minutes)}"
    facts = [("哪一次", f"{titles[row.activity].title}（账本第 {row.entry_index} 条）"), ("时间", when)]
    return [*facts, ("理由", row.reason)] if why and row.reason else facts


def _said_elsewhere(tx: ReadTransaction, notices: Sequence[Notice]) -> dict[str, About]:
    """Give what is not in notices but where they point: the reason of a decision, an activity's name, why a proposal was declined."""

    def named(*keys: str) -> set[Any]:
        return {notice.about[key] for notice in notices for key in keys if key in notice.about}

    reasons: dict[Any, str | None] = {}
    findings: dict[Any, str] = {}
    subjects: dict[Any, str] = {}
    for rows, keys in ((_OBJECTION, "objection"), (_OMISSION, "omission")):
        columns = (rows.c.entry_index, rows.c.reason, rows.c.finding)
        decided = [row for row in rows_where_in(tx.connection, columns, rows.c.entry_index, named(keys)) if row.finding]
        reasons |= {row.entry_index: row.reason for row in decided}
        findings |= {row.entry_index: row.finding for row in decided}
    for rows, (key, column) in _REASONS.items():
        told = rows_where_in(tx.connection, rows.c, rows.c.entry_index, named(key))
        reasons |= {row.entry_index: getattr(row, column) for row in told if getattr(row, column)}
        subjects |= {row.entry_index: _subject(row) for row in told}
    reasons |= {row.id: row.remark for row in rows_where_in(tx.connection, _PROPOSAL.c, _PROPOSAL.c.id, named("proposal"))}
    events = activities.get_many(tx.connection, named("activity"))
    reasons |= {number: row.ended_reason for number, row in events.items()}
    found: dict[str, About] = {}
    for notice in notices:
        pointed = [notice.about[key] for key in _POINTED if key in notice.about]
        said = [reason for place in pointed if (reason := reasons.get(place))]
        found[notice.id] = {"reason": said[0]} if said and notice.what not in _ASKED else {}
        if notice.what in _ASKED and (finding := next((findings[place] for place in pointed if place in findings), None)):
            found[notice.id] = {"done": f"已经处理：{FINDINGS[finding]}"}
        if named_here := [subjects[place] for place in pointed if place in subjects]:
            found[notice.id] |= {"subject": named_here[0]}
        if (event := events.get(str(notice.about.get("activity")))) is not None:
            found[notice.id] |= {"title": event.title}
    return found


def _organisations(tx: ReadTransaction, notices: Sequence[Notice]) -> dict[str, str]:
    """Name the organisation that each notice is about, of those that are about one."""
    found: dict[str, str] = {}
    for target, key in ((table(FilingApplicationRow), "filing"), (table(OrganisationRow), "organisation")):
        column = target.c["id" if key == "organisation" else key]
        rows = rows_where_in(tx.connection, (column, target.c.name), column, {one.about[key] for one in notices if key in one.about})
        names = {row[0]: row.name for row in rows}
        found |= {one.id: names[one.about[key]] for one in notices if one.about.get(key) in names}
    return found


def _subject(row: Any) -> str:
    """Say what a fact of a credit record is: a title, a quality, an item."""
    if "title" in row._fields:
        return str(row.title)
    return name_of(row.item) if "item" in row._fields else QUALITIES[row.quality]


def _facts(said: About, places: dict[str, str], *, known: bool) -> list[tuple[str, str]]:
    """Say what a notice tells, in the order of _LABELS."""
    words: dict[str, Callable[[Any], str]] = {"station": lambda code: places.get(code, code)}
    left_out = _OF_RECORDS if known else ()
    return [
        (label, words.get(name, spell)(said[name])) for name, (label, spell) in _LABELS.items() if name in said and name not in left_out
    ]


def _link(notice: Notice, *, volunteer: bool) -> str | None:
    endpoint = (_OF_VOLUNTEERS if volunteer else _OF_STAFF).get(notice.what)
    if endpoint is not None:
        return url_for(endpoint) if endpoint in current_app.view_functions else None
    index = notice.about.get("service")
    if isinstance(index, int):
        return url_for("credit.mine", _anchor=f"r{index}") if volunteer else url_for("records.one", index=index)
    return None
