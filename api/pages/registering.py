"""Registering one person at the desk: the form, then the notice and the slip with a one-time code, to be printed once."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from api.auth import STAFF, accounts, actor, ledger, open_to
from api.papers import need_digest_of
from ledger import stations
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people import ages, identity, volunteers
from ledger.people.actors import ancestry, units
from ledger.people.fields import FIELDS
from ledger.people.volunteers import Guardian, Registration
from ledger.refusals import Already, Refusal
from ledger.transactions import ReadTransaction

blueprint = Blueprint("registering", __name__, url_prefix="/volunteers")
AREA_MAX = SKILLS_MAX = 60
NAME_MAX, RELATION_MAX = 60, 20


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        offered = set(units(tx.connection, actor(), "register"))
        places = [
            unit for unit in stations.everyone(tx.connection) if unit.code in offered and unit.level == "station" and not unit.closed_on
        ]
        policy = ages.in_force(tx.connection, tx.today.isoformat())
    return render_template("register.html", places=places, policy=policy, problem=problem, said=request.form), status


@blueprint.get("/new")
@open_to(*STAFF)
def form() -> ResponseReturnValue:
    """Show the form."""
    return _page()


@blueprint.post("/new")
@open_to(*STAFF)
def register() -> ResponseReturnValue:
    """Register one person and show the notice and the slip, once."""
    try:
        if request.form.get("told") != "yes":
            raise InvalidRequest("请先把《个人信息告知书》交给本人（或监护人）看过，再勾选")
        with ledger().read() as tx:
            said = _registration(tx)
        answer = ledger().write(lambda tx: volunteers.register_many(tx, [said])[0], actor())
    except (InvalidRequest, NotAllowed, NotFound) as refusal:
        return _page(str(refusal), 400)
    if isinstance(answer, Already):
        return _page("这位居民在本站已经登记过，不用再登记。忘记密码的，请到「查志愿者」给本人一个登录码", 400)
    if isinstance(answer, Refusal):
        return _page(answer.message, 400)
    code = accounts().issue_code(actor(), answer)
    with ledger().read() as tx:
        return render_template("slip.html", code=code, registered=True, **notice(tx, answer))


def notice(tx: ReadTransaction, number: str) -> dict[str, object]:
    """Gather what the slip and the notice of article 17 of the 个人信息保护法 say of one volunteer."""
    person = volunteers.get(tx, number)
    policy = ages.in_force(tx.connection, tx.today.isoformat())
    id_number = person.personal.identity.get("id_number")
    return {
        "person": person,
        "now": tx.now.isoformat(),
        "station": stations.get(tx.connection, person.row.station),
        "above": [stations.get(tx.connection, code).name for code in ancestry(tx.connection, person.row.station)[1:]],
        "fields": [field for field in FIELDS if field.part != "guardian" or person.row.guardian],
        "special_rules": ages.SPECIAL_RULES if id_number and policy.band(id_number, tx.today) == "child" else "",
    }


def _registration(tx: ReadTransaction) -> Registration:
    """Read the form. Raises InvalidRequest naming what to mend."""
    form = request.form
    name = identity.normalise_name(form.get("name", ""))
    if not 2 <= len(name) <= NAME_MAX or any(letter.isdigit() for letter in name):
        raise InvalidRequest("请填写身份证上的姓名，不要带数字")
    id_number = identity.check_id_number(form.get("id_number", ""), today=tx.today)
    phone = identity.normalise_phone(form["phone"]) if form.get("phone", "").strip() else ""
    sex = form.get("sex", "")
    more = {key: " ".join(form.get(key, "").split())[:AREA_MAX] for key in ("area", "skills")}
    station = form.get("station", "")
    stations.get(tx.connection, station)
    band = ages.in_force(tx.connection, tx.today.isoformat()).band(id_number, tx.today)
    guardian = read_guardian() if band in ("minor", "child") else None
    return Registration(
        name, id_number, station, tx.today, "clerk", phone, sex if sex in ("男", "女") else "", guardian=guardian, more=more
    )


def read_guardian() -> Guardian:
    """Read a guardian's particulars and consent from the form. Raises InvalidRequest."""
    form = request.form
    name = identity.normalise_name(form.get("guardian_name", ""))
    relation = " ".join(form.get("guardian_relation", "").split())
    if not 2 <= len(name) <= NAME_MAX or not 1 <= len(relation) <= RELATION_MAX or not form.get("guardian_phone", "").strip():
        raise InvalidRequest("未成年人须经监护人同意：请填写监护人的姓名、与本人的关系、联系电话，并附上签字的同意书")
    phone = identity.normalise_phone(form["guardian_phone"])
    return Guardian(name, relation, phone, need_digest_of("consent", "监护人签字的同意书"))
