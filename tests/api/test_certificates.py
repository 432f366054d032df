"""Certificates on the pages: a volunteer makes one, the desk makes and revokes one, and anybody with the paper is told how it stands."""

import io
import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

import orjson
import pytest
from certified import codes_on, pages_of

from api.pages.credentials import A_MINUTE
from ledger.activities import Activity, find_or_publish
from ledger.certificates import issuing, register
from ledger.checking.credentials import read_credential, verify_status
from ledger.ids import new_entry_id, spaced_code
from ledger.people import reveals
from ledger.people.actors import OPERATOR, Actor
from ledger.service import amending, recording
from ledger.service.drafts import Draft

CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"


@pytest.fixture
def hours(world, person):
    """Three old services that count; their entries."""

    def serve(tx):
        old = find_or_publish(tx, [Activity(STATION, "看望独居老人", "neighbour-care", migrated_year=2024)])[0]
        starts = [datetime(2024, 5, day, 9) for day in (1, 2, 3)]
        drafts = [Draft(person.number, old, STATION, at, at.replace(hour=11), "D", new_entry_id(), settled=True) for at in starts]
        return [receipt.index for receipt in recording.record_many(tx, drafts)]

    return world.ledger.write(serve, OPERATOR)


@pytest.fixture
def visitor(world, person, hours):
    return world.visitor(person.number, person.password)


@pytest.fixture
def made(visitor):
    """A certificate that the volunteer made on their page: its number."""
    answer = visitor.post("/certificates/", {"period": "all", "id_number": "masked"})
    assert answer.location == "/certificates/"
    return re.search(r"340104-2025-\d{6}", visitor.get("/certificates/").text)[0]


def code_of(world, number):
    with world.ledger.read() as tx:
        return register.paper(tx, register.get(tx, number))[0]["code"]


def name_of(world, person):
    with world.ledger.read() as tx:
        return tx.vault.open(tx.connection, [f"person/{person.number}"])[f"person/{person.number}"].identity["name"]


def test_a_volunteer_makes_prints_and_keeps_their_own(world, person, visitor, made):
    page = visitor.get("/certificates/").text
    assert "6小时" in page
    assert "有效" in page
    pdf = visitor.get(f"/certificates/{made}.pdf")
    assert (pdf.status_code, pdf.mimetype, pdf.headers["Cache-Control"]) == (200, "application/pdf", "no-store")
    assert name_of(world, person) in pages_of(pdf.data)[0]
    [code] = codes_on(pdf.data)
    assert code.startswith(f"http://localhost/check/{code_of(world, made)}#")
    data = visitor.get(f"/certificates/{made}.json")
    assert data.json["document"]["number"] == made
    assert "开具证明" in visitor.get("/my/data").text
    assert made in visitor.get("/my/data").text


def test_a_period_is_chosen_and_what_cannot_be_is_said(visitor):
    for said, sentence in (
        ({"period": "this"}, "在这段时间里还没有已生效的服务记录"),
        ({"period": "own"}, "请填写从哪天到哪天"),
        ({"period": "own", "from": "5月1日"}, "开始日期不对"),
        ({"period": "next"}, "请选择开哪一段时间的"),
    ):
        answer = visitor.post("/certificates/", said)
        assert (answer.status_code, sentence in answer.text) == (400, True), said
    assert visitor.post("/certificates/", {"period": "own", "from": "2024-05-02"}).status_code == 302
    assert "4小时" in visitor.get("/certificates/").text
    assert visitor.post("/certificates/", {"period": "last", "id_number": "full"}).status_code == 302


def test_a_character_that_cannot_be_printed_is_named_before_anything_is_issued(world, person, visitor):
    with world.ledger.read() as tx:
        personal = tx.vault.open(tx.connection, [f"person/{person.number}"])[f"person/{person.number}"]
    rare = type(personal)(personal.subject, {**personal.identity, "name": "王𠮷"}, personal.contact, personal.guardian)
    world.ledger.write(lambda tx: tx.vault.reseal(tx.connection, [rare]), OPERATOR)
    warned = visitor.post("/certificates/", {"period": "all"})
    assert warned.status_code == 200
    assert "「𠮷」（U+20BB7）" in warned.text
    assert "手写补上并盖校对章" in warned.text
    assert "340104-2025" not in visitor.get("/certificates/").text
    assert visitor.post("/certificates/", {"period": "all", "gaps": "yes"}).status_code == 302


def test_who_has_nothing_that_counts_is_told_where_to_look(world, person):
    page = world.visitor(person.number, person.password).get("/certificates/").text
    assert "还没有已生效的服务时长" in page
    assert "<button" not in page.split("<main")[1]


def test_the_desk_makes_prints_and_revokes_one_and_the_person_sees_it(world, person, hours):
    clerk, page = world.visitor("recorder"), f"/volunteers/{person.number}/certificates/"
    assert "请先核对本人" in clerk.post(page, {"period": "all"}).text
    assert clerk.post(page, {"period": "all", "seen": "yes", "contact": "0551-63551234"}).location == page
    number = re.search(r"340104-2025-\d{6}", clerk.get(page).text)[0]
    pdf = clerk.post(f"{page}{number}/print").data
    assert all(word in pages_of(pdf)[0] for word in ("recorder", "0551-63551234"))
    with world.ledger.read() as tx:
        assert [look.fields for look in reveals.of(tx, person.number)] == ["证明原文（打印给本人）", "姓名、证件号（开具证明）"]
    assert clerk.post(f"{page}{number}/revocation", {"reason": "开错了"}).status_code == 403
    assert "撤销的理由" not in clerk.get(page).text
    approver = world.visitor("approver")
    assert "请写明撤销的理由" in approver.post(f"{page}{number}/revocation", {"reason": " "}).text
    assert approver.post(f"{page}{number}/revocation", {"reason": "时长抄错了"}).location == page
    assert "时长抄错了" in approver.get(page).text
    assert "已撤销" in pages_of(clerk.post(f"{page}{number}/print").data)[0]
    told = world.visitor(person.number, person.password).get("/notices/").text
    assert "证明开好了" in told
    assert "证明已撤销" in told


def test_anybody_is_told_how_a_paper_stands(world, person, visitor, made, hours):
    anybody = world.visitor()
    code = code_of(world, made)
    for said in (made, code, spaced_code(code).lower()):
        answer = anybody.client.get("/check/", query_string={"said": said}, follow_redirects=True)
        assert answer.status_code == 200, said
        assert "<h2>有效</h2>" in answer.text
        assert answer.headers["X-Robots-Tag"].startswith("noindex")
    page = anybody.get(f"/check/{code}").text
    assert all(word in page for word in (made, "6小时", "2025年11月3日"))
    assert name_of(world, person) not in page
    world.ledger.write(lambda tx: amending.void(tx, hours[0], reason="重复登记"), Actor("third", "approver"))
    page = anybody.get(f"/check/{made}").text
    assert "<h2>有效，但签发后有更正</h2>" in page
    assert "4小时" in page
    assert f"第 {hours[0]} 条，今天不计" in page
    assert "签发后有更正" in visitor.get("/certificates/").text
    world.visitor("approver").post(f"/volunteers/{person.number}/certificates/{made}/revocation", {"reason": "已另开一份"})
    page = anybody.get(f"/check/{code}").text
    assert "<h2>已撤销</h2>" in page
    assert "已另开一份" in page
    unknown = anybody.get("/check/340104-2025-000999")
    assert (unknown.status_code, "<h2>查无此证</h2>" in unknown.text) == (404, True)
    wrong = code[:-1] + ("3" if code[-1] == "2" else "2")
    mistyped = anybody.get(f"/check/{wrong}")
    assert (mistyped.status_code, "有一位抄错了" in mistyped.text) == (400, True)


def test_a_file_is_verified_and_looked_up(world, person, visitor, made):
    anybody = world.visitor()

    def hand_in(content, name="证明.pdf"):
        return anybody.post("/check/file", {"file": (io.BytesIO(content), name)})

    pdf, data = visitor.get(f"/certificates/{made}.pdf").data, visitor.get(f"/certificates/{made}.json").data
    for content in (pdf, data):
        answer = hand_in(content)
        assert (answer.status_code, "和开具时一字不差" in answer.text) == (200, True)
        assert name_of(world, person) not in answer.text
    forged = data.replace(b'"minutes":360,"name"', b'"minutes":960,"name"')
    assert forged != data
    answer = hand_in(forged)
    assert (answer.status_code, "<h2>文件不对</h2>" in answer.text) == (400, True)
    page = pdf.index(b"stream", pdf.index(b"/FlateDecode")) + 20
    answer = hand_in(pdf[:page] + bytes([pdf[page] ^ 1]) + pdf[page + 1 :])
    assert (answer.status_code, "这个 PDF 的页面不是开出时的样子" in answer.text, "一字不差" in answer.text) == (400, True, False)
    for content, sentence in ((b"hello", "读不出来"), (b"%PDF-1.7 a scan", "可能是扫描件"), (b"", "读不出来")):
        assert sentence in hand_in(content).text, content
    assert "请选择证明的 PDF 文件" in anybody.post("/check/file").text
    world.visitor("approver").post(f"/volunteers/{person.number}/certificates/{made}/revocation", {"reason": "已另开一份"})
    for content in (pdf, data, visitor.get(f"/certificates/{made}.pdf").data):
        assert "<h2>已撤销</h2>" in hand_in(content).text, "in the old file as in the new"


def test_name_and_last_four_are_compared_and_guessing_is_slowed(world, person, made):
    anybody, name, tail = world.visitor(), name_of(world, person), person.id_number[-4:]
    page = f"/check/{made}/person"
    assert "<b>相符</b>" in anybody.post(page, {"name": name, "tail": tail}).text
    assert "请填写姓名全称" in anybody.post(page, {"name": name, "tail": "1"}).text
    for _ in range(5):
        assert "<b>不相符</b>" in anybody.post(page, {"name": name, "tail": "0000"}).text
    assert "试得太多了" in anybody.post(page, {"name": name, "tail": tail}).text
    world.clock.move(minutes=2)
    assert "<b>相符</b>" in anybody.post(page, {"name": name, "tail": tail}).text
    assert anybody.post("/check/340104-2025-000999/person", {"name": name, "tail": tail}).status_code == 404


def test_the_register_cannot_be_read_off_by_a_program(world, made):
    anybody = world.visitor()
    answers = [anybody.get(f"/check/{made}").status_code for _ in range(70)]
    assert 429 in answers


def test_a_unit_makes_public_what_it_issued(world, person, made):
    page = world.visitor().get(f"/publicity/{STATION}/certificates").text
    assert made in page
    assert name_of(world, person) not in page
    assert person.number not in page
    assert "没有开过证明" in world.visitor().get(f"/publicity/{NEXT_STATION}/certificates").text
    assert world.visitor().get("/publicity/999/certificates").status_code == 404


def test_another_volunteers_certificate_is_not_there(world, person, made, visitor):
    assert visitor.get("/certificates/340104-2025-000999.pdf").status_code == 404
    clerk = world.visitor("recorder")
    assert clerk.get(f"/certificates/{made}.pdf").status_code == 403


# --- as a Verifiable Credential


def test_a_volunteer_takes_their_own_as_a_credential_and_anybody_may_ask_how_it_stands(world, visitor, made):
    page = visitor.get("/certificates/").text
    for way, kind in (("json", "application/vc"), ("jwt", "application/vc+jwt")):
        path = f"/certificates/{made}/credential.{way}"
        assert path in page
        answer = visitor.get(path)
        assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, kind, "no-store")
        assert f"{made}.vc.{way}" in unquote(answer.headers["Content-Disposition"])
        checked = world.visitor().post("/check/file", {"file": (io.BytesIO(answer.data), f"x.{way}")})
        assert "有效" in checked.text
        assert "一字不差" in checked.text
        broken = answer.data[:-30] + bytes([answer.data[-30] ^ 1]) + answer.data[-29:]
        refused = world.visitor().post("/check/file", {"file": (io.BytesIO(broken), f"x.{way}")})
        assert refused.status_code == 400
        assert "一字不差" not in refused.text
    said = orjson.loads(visitor.get(f"/certificates/{made}/credential.json").data)
    listed = urlsplit(said["credentialStatus"]["statusListCredential"]).path
    anybody = world.visitor().client
    answer = anybody.get(listed)
    assert (answer.status_code, answer.mimetype) == (200, "application/vc")
    assert (answer.headers["Cache-Control"], answer.headers["Access-Control-Allow-Origin"]) == ("public, max-age=60", "*")
    as_jwt = anybody.get(listed, headers={"Accept": "application/vc+jwt"})
    assert as_jwt.mimetype == "application/vc+jwt"
    place = read_credential(orjson.dumps(said))
    assert all(verify_status(place, one.data).ok for one in (answer, as_jwt))
    world.ledger.write(lambda tx: issuing.revoke(tx, made, "时长抄错了"), OPERATOR)
    assert not any(verify_status(place, anybody.get(listed, headers=accept).data).ok for accept in ({}, {"Accept": "application/vc+jwt"}))
    again = world.visitor().post("/check/file", {"file": (io.BytesIO(orjson.dumps(said)), "x.json")})
    assert "已撤销" in again.text
    assert anybody.get(listed.rstrip("1") + "7").status_code == 404
    keys = anybody.get("/.well-known/did.json")
    assert orjson.loads(keys.data)["verificationMethod"][0]["publicKeyMultibase"] in listed
    assert keys.headers["Access-Control-Allow-Origin"] == "*"


def test_nobody_takes_somebody_elses_credential_and_the_desk_leaves_a_trace(world, person, visitor, made):
    assert visitor.get("/certificates/340104-2025-000999/credential.json").status_code == 404
    assert world.visitor().get(f"/certificates/{made}/credential.json").status_code == 302
    clerk, page = world.visitor("recorder"), f"/volunteers/{person.number}/certificates/"
    assert f"{page}{made}/credential.jwt" in clerk.get(page).text
    answer = clerk.post(f"{page}{made}/credential.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/vc")
    assert orjson.loads(answer.data)["credentialSubject"]["number"] == made
    with world.ledger.read() as tx:
        assert [look.fields for look in reveals.of(tx, person.number)] == ["证明原文（打印给本人）"]
    assert clerk.get(f"{page}{made}/credential.json").status_code == 405


def test_the_status_list_is_not_asked_for_without_end(world, visitor, made):
    anybody = world.visitor().client
    answers = [anybody.get("/.well-known/did.json").status_code for _ in range(A_MINUTE + 1)]
    assert (answers[0], answers[-1]) == (200, 429)
