"""
Changes: what the vault holds of somebody was wrong or is so no longer.

A phone is the person's own to change. A name or an ID number is put right by two people with a reason; so is a phone when the person cannot sign in: the
second reads the papers and types what they say anew, and both have to be the same. An ID number that is registered already is no mistake in writing
but the same person twice: that is merging (merging.py). A guardian's consent that is missing is added at the desk. The log learns that
something changed, by whom and why, and the new commitments; never what it was or is.
"""

from collections.abc import Mapping
from dataclasses import replace

from ledger.errors import InvalidRequest, NotAllowed
from ledger.kinds import Body
from ledger.kinds.checks import holds_personal_number
from ledger.log import Fact, Receipt
from ledger.people import identity, proposals, volunteers
from ledger.people.proposals import Proposal
from ledger.people.vault import Personal
from ledger.people.volunteers import Guardian, Known
from ledger.transactions import WriteTransaction

OWN = {"area": "居住区域", "skills": "专业技能", "services": "服务类别"}
"""What somebody fills in about themselves, if they like (民政部令第67号 articles 5 and 6)."""
OWN_MAX = 60

FIELDS = {"name": "姓名", "id_number": "身份证号", "phone": "联系电话"}


def own_phone(tx: WriteTransaction, said: str) -> Receipt:
    """Change one's own phone; nothing said: it is not kept any more. Raises InvalidRequest, NotAllowed."""
    if tx.actor.volunteer is None:
        raise NotAllowed("只有志愿者本人可以在这里修改电话")
    person = _here(tx, tx.actor.volunteer)
    phone = identity.normalise_phone(said) if said.strip() else ""
    if phone == person.personal.contact.get("phone", ""):
        raise InvalidRequest("和现在登记的电话一样，没有改动")
    return _append(tx, person, _with_phone(person.personal, phone), {"reason": "本人修改电话"})


def own_particulars(tx: WriteTransaction, said: Mapping[str, str]) -> Receipt:
    """Fill in one's own area, skills and kinds of service (OWN); what is left empty is not kept. Raises InvalidRequest, NotAllowed."""
    if tx.actor.volunteer is None:
        raise NotAllowed("只有志愿者本人可以在这里填写")
    person = _here(tx, tx.actor.volunteer)
    made = {key: " ".join(said.get(key, "").split()) for key in OWN}
    for key, label in OWN.items():
        if len(made[key]) > OWN_MAX or not made[key].isprintable() or holds_personal_number(made[key]):
            raise InvalidRequest(f"「{label}」请写在 {OWN_MAX} 个字以内，不要有看不见的字符，不要写电话、证件号")
    rest = {key: value for key, value in person.personal.contact.items() if key not in OWN}
    contact = {**rest, **{key: value for key, value in made.items() if value}}
    if contact == person.personal.contact:
        raise InvalidRequest("和现在登记的一样，没有改动")
    return _append(tx, person, replace(person.personal, contact=contact), {"reason": "本人填写"})


def propose(tx: WriteTransaction, number: str, said: Mapping[str, str], reason: str, document: str | None = None) -> str:
    """Propose what the name, ID number or phone should be; a second person decides. *document*: base64 of a SHA-256. Returns the proposal's id."""
    person = _here(tx, number)
    tx.require("register", person.row.station)
    wanted = _checked(tx, person, said)
    asked: dict[str, object] = {"wanted": wanted, "reason": reason}
    if document:
        asked["document"] = document
    return proposals.ask(tx, "change", person.row.number, person.row.station, asked)


def require_same(tx: WriteTransaction, proposal: Proposal, typed: Mapping[str, str]) -> None:
    """Compare what the second person typed with what the first did. Raises InvalidRequest naming the field, never what stands in it."""
    wanted = proposal.said["wanted"]
    spelt = _spelt(tx, typed)
    wrong = [FIELDS[key] for key in wanted if spelt.get(key) != wanted[key]]
    if wrong:
        raise InvalidRequest(f"您对照证件填写的{'、'.join(wrong)}与提出人填写的不一样。请再核对证件；若提出人填错了，请退回")


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Seal what a second person has seen to be right."""
    person = _here(tx, proposal.row.volunteer)
    wanted = _checked(tx, person, proposal.said["wanted"])
    who = dict(person.personal.identity) | {key: wanted[key] for key in ("name", "id_number") if key in wanted}
    made = replace(person.personal, identity=who)
    if "phone" in wanted:
        made = _with_phone(made, wanted["phone"])
    said = {key: proposal.said[key] for key in ("reason", "document") if key in proposal.said}
    return _append(tx, person, made, {**said, "asked_by": proposal.row.asked_by})


def add_guardian(tx: WriteTransaction, number: str, guardian: Guardian) -> Receipt:
    """Add a guardian's consent to a minor's registration, at the desk. Raises InvalidRequest, NotAllowed."""
    person = _here(tx, number)
    tx.require("register", person.row.station)
    made = replace(person.personal, guardian={"name": guardian.name, "relation": guardian.relation, "phone": guardian.phone})
    return _append(tx, person, made, {"reason": "补登监护人同意", "consent": guardian.consent})


def _here(tx: WriteTransaction, number: str) -> Known:
    person = volunteers.get(tx, number)
    if not person.personal.identity:
        raise InvalidRequest("这个人的资料已经销毁或封存，不能再改")
    if person.row.left_on is not None:
        raise InvalidRequest(f"这份登记已于 {person.row.left_on} 结束，不能再改")
    return person


def _checked(tx: WriteTransaction, person: Known, said: Mapping[str, str]) -> dict[str, str]:
    """Give what would be changed, spelt as the vault keeps it. Raises InvalidRequest when nothing would, or the number is another's."""
    spelt = _spelt(tx, said)
    now = {**person.personal.identity, **person.personal.contact}
    wanted = {key: value for key, value in spelt.items() if now.get(key) != value}
    if not wanted:
        raise InvalidRequest("没有要改的内容：填的和现在登记的一样，或者什么都没有填")
    if "id_number" in wanted and tx.vault.find(tx.connection, "id_number", [wanted["id_number"]]):
        raise InvalidRequest("这个身份证号已经登记过。如果是同一个人登记了两次，请用「合并重复登记」")
    return wanted


def _spelt(tx: WriteTransaction, said: Mapping[str, str]) -> dict[str, str]:
    spelt: dict[str, str] = {}
    if said.get("name"):
        spelt["name"] = identity.normalise_name(said["name"])
    if said.get("id_number"):
        spelt["id_number"] = identity.check_id_number(said["id_number"], today=tx.today)
    if said.get("phone"):
        spelt["phone"] = identity.normalise_phone(said["phone"])
    return spelt


def _with_phone(personal: Personal, phone: str) -> Personal:
    rest = {key: value for key, value in personal.contact.items() if key != "phone"}
    return replace(personal, contact={**rest, **({"phone": phone} if phone else {})})


def _append(tx: WriteTransaction, person: Known, made: Personal, said: Body) -> Receipt:
    """Seal somebody's data anew and say so, with the commitments of the new salts."""
    sealed = tx.vault.reseal(tx.connection, [made])[0]
    commitments = {"identity": sealed.identity, "contact": sealed.contact, "guardian": sealed.guardian}
    body: Body = {"volunteer": person.row.number, "station": person.row.station, "changed_on": tx.today.isoformat(), **said}
    body |= {name: value for name, value in commitments.items() if value}
    return tx.append([Fact("volunteer.changed", body)])[0]
