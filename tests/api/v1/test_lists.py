"""Lists and reads: every item once however much is appended meanwhile, nothing of other stations, and nothing sent again that has not changed."""

import json
import threading

import pytest
from world import CENTRE, HOME, OTHER

from ledger import spot_checks
from ledger.indicators import adoption
from ledger.indicators.measures import Count
from ledger.indicators.standings import evaluate
from ledger.people.actors import OPERATOR
from ledger.rules import answers

READS = ("service-records:read", "activities:read", "volunteers:read", "organisations:read", "stations:read")


@pytest.fixture
def reader(desk):
    """A program of the centre, which sees both stations, and one of the desk's own station."""
    desk.accounts.create(OPERATOR, "centre", "approver", station=CENTRE, password="correct horse battery")
    return desk.issue("centre", *READS), desk.issue("desk", *READS)


def pages(desk, path, token, **query):
    """Follow `next` to the end; gives the pages."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    address, found = f"/api/v1{path}?{asked}", []
    while address:
        answer = desk.client.get(address, headers=desk.headers(token))
        assert answer.status_code == 200, answer.text
        found.append(answer)
        address = answer.json.get("next")
        link = answer.headers.get("Link")
        assert link == (f'<{address}>; rel="next"' if address else None)
    return found


def items(found):
    return [item for page in found for item in page.json["items"]]


def test_following_next_gives_every_record_once_in_ledger_order(desk, reader):
    served = [desk.post(desk.on(day)).json["index"] for day in range(6, 21)]
    found = pages(desk, "/service-records", reader[0], limit=4)
    assert [len(page.json["items"]) for page in found] == [4, 4, 4, 3]
    assert [item["index"] for item in items(found)] == served


def test_a_list_stays_whole_while_others_append(desk, reader):
    """A program reads page by page while a station hands in; at the end it has every record, none twice."""
    first = [desk.post(desk.on(day)).json["index"] for day in range(6, 11)]
    more: list[int] = []

    def hand_in():
        client = desk.app.test_client()
        for day in range(11, 26):
            answer = client.post("/api/v1/service-records", json=desk.on(day), headers=desk.headers())
            more.append(answer.json["index"])

    thread = threading.Thread(target=hand_in)
    thread.start()
    found, cursor = [], None
    while thread.is_alive() or cursor is None:
        said = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        found += pages(desk, "/service-records", reader[0], **said)
        cursor = found[-1].json["cursor"]
    thread.join()
    found += pages(desk, "/service-records", reader[0], cursor=cursor)
    assert [item["index"] for item in items(found)] == first + more


def test_the_last_cursor_asks_only_for_what_is_new(desk, reader):
    desk.post(desk.on(6))
    cursor = pages(desk, "/service-records", reader[0])[-1].json["cursor"]
    nothing = desk.get(f"/service-records?cursor={cursor}", token=reader[0]).json
    assert nothing == {"items": [], "cursor": cursor}
    index = desk.post(desk.on(7)).json["index"]
    assert [item["index"] for item in desk.get(f"/service-records?cursor={cursor}", token=reader[0]).json["items"]] == [index]


@pytest.mark.parametrize("cursor", ["x", "MQ==", "LTE", "Zm9v", "", "a" * 65, "MQ%00", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_cursor_of_ones_own_making_is_refused_or_leads_to_nothing(desk, reader, cursor):
    answer = desk.get(f"/service-records?cursor={cursor}", token=reader[0])
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert answer.json["errors"][0]["parameter"] == "cursor"
    else:
        assert answer.json["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=01", "sort=name", "limit=1&limit=2&x=1"])
def test_a_list_takes_what_it_describes_and_nothing_else(desk, reader, query):
    assert desk.get(f"/service-records?{query}", token=reader[0]).status_code == 422


def test_each_sees_the_own_stations_and_asking_for_another_is_refused(desk, reader):
    centre, own = reader
    far = desk.town.volunteer(OTHER)
    near = next(iter(desk.town.people))
    activity = desk.town.activity(OTHER, title="外站活动")
    record = desk.town.serve(far, "2025-01-10 09:00", "10:00", station=OTHER, activity=activity).index
    unit = desk.town.organisation(OTHER, name="外站互助社", number="备0009")
    assert {item["number"] for item in items(pages(desk, "/volunteers", centre))} == {near, far}
    assert {item["number"] for item in items(pages(desk, "/volunteers", own))} == {near}
    for path in ("/service-records", "/activities", "/organisations", "/volunteers"):
        assert all(item["station"] == HOME for item in items(pages(desk, path, own)))
        assert {item["station"] for item in items(pages(desk, path, centre, station=OTHER))} == {OTHER}
        assert desk.get(f"{path}?station={OTHER}", token=own).status_code == 403
        assert {item["station"] for item in items(pages(desk, path, centre, station=CENTRE))} <= {HOME, OTHER, CENTRE}
    assert desk.get(f"/service-records/{record}", token=own).status_code == 404
    assert desk.get(f"/activities/{activity}", token=own).status_code == 404
    assert desk.get(f"/organisations/{unit}", token=own).status_code == 404
    hidden, unknown = (desk.get(f"/volunteers/{number}", token=own) for number in (far, "2222222222"))
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.json["detail"] == unknown.json["detail"], "that somebody is registered elsewhere is not told"
    assert desk.get(f"/volunteers/{far}/credit", token=own).status_code == 404
    for path in (f"/service-records/{record}", f"/activities/{activity}", f"/organisations/{unit}", f"/volunteers/{far}"):
        assert desk.get(path, token=centre).status_code == 200


def test_filters_pick_what_they_say(desk, reader):
    town, token = desk.town, reader[0]
    indexes = [desk.post(desk.on(day)).json["index"] for day in (6, 7, 8)]
    town.approve(indexes[0])
    town.void(indexes[2])

    def found(**query):
        return [item["index"] for item in items(pages(desk, "/service-records", token, **query))]

    assert found(status="approved") == [indexes[0]]
    assert found(status="voided") == [indexes[2]]
    assert found(served_from="2025-01-07") == indexes[1:]
    assert found(served_to="2025-01-07") == indexes[:2]
    assert found(volunteer=desk.service["volunteer"]) == indexes
    assert found(activity="2222222222") == []
    assert found(activity=desk.service["activity"]) == indexes
    assert [item["code"] for item in items(pages(desk, "/stations", token, level="centre"))] == [CENTRE]
    assert {item["code"] for item in items(pages(desk, "/stations", token, station=HOME))} == {HOME}
    activities = items(pages(desk, "/activities", token, start_from="2025-02-01"))
    assert activities == []


def test_what_the_client_has_is_not_sent_again_until_the_ledger_grows(desk, reader):
    index = desk.post(desk.on(6)).json["index"]
    person = desk.service["volunteer"]
    for path in ("/service-records", f"/service-records/{index}", "/stations", f"/volunteers/{person}/credit", "/rates?year=2025"):
        first = desk.get(path, token=reader[0])
        etag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert first.headers["Vary"] == "Authorization"
        again = desk.get(path, token=reader[0], If_None_Match=etag)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
        assert desk.get(path, token=reader[1], If_None_Match=etag).status_code == 200, "another's answer may be another"
        desk.town.volunteer()
        assert desk.get(path, token=reader[0], If_None_Match=etag).status_code == 200
        new = desk.get(path, token=reader[0]).headers["ETag"]
        desk.town.advance(days=1)
        assert desk.get(path, token=reader[0], If_None_Match=new).status_code == 200, "another day, other counts"


def test_what_also_other_things_change_has_an_etag_of_its_content(desk, reader):
    first = desk.get("/volunteers", token=reader[0])
    etag = first.headers["ETag"]
    assert desk.get("/volunteers", token=reader[0], If_None_Match=etag).status_code == 304
    desk.town.volunteer()
    assert desk.get("/volunteers", token=reader[0], If_None_Match=etag).status_code == 200


def test_no_answer_holds_a_name_or_an_id_number(desk, reader):
    person = desk.town.volunteer(HOME, "欧阳娜娜", phone="13624242754")
    _, id_number, *_ = desk.town.names[person]
    for path in ("/volunteers", f"/volunteers/{person}", f"/volunteers/{person}/credit"):
        said = desk.get(path, token=reader[0]).text
        assert "欧阳娜娜" not in said
        assert id_number not in said
        assert "13624242754" not in said
    found = desk.client.post("/api/v1/volunteers/find", json={"id_number": id_number}, headers=desk.headers(reader[0]))
    assert (found.status_code, found.json["number"], found.json["name"]) == (200, person, "欧**娜")
    assert id_number not in found.text


def test_an_id_number_that_cannot_be_is_not_repeated(desk, reader):
    for wrong in ("110105194912310021", "11010519491231002"):
        answer = desk.client.post("/api/v1/volunteers/find", json={"id_number": wrong}, headers=desk.headers(reader[0]))
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "#/id_number"
        assert wrong not in answer.text


def test_the_explanation_of_a_star_is_what_the_ledger_says(desk, reader):
    person = desk.service["volunteer"]
    shown = desk.get(f"/volunteers/{person}/credit/explanation", token=reader[0])
    with desk.town.read() as tx:
        assert shown.json == json.loads(json.dumps(answers.explained(tx, person).said()))
    assert desk.get(f"/volunteers/{person}/credit/explanation?rules=moon", token=reader[0]).status_code == 404


def test_rates_and_credit_say_what_the_ledger_says(desk, reader):
    town = desk.town
    index = desk.post(desk.on(6)).json["index"]
    town.approve(index)
    town.advance(days=20)
    said = {item["code"]: item for item in items(pages(desk, "/rates", reader[0], year=2025, limit=2))}
    counted = town.rates(2025)
    assert {code: {name: item[name] for name in counted[code]} for code, item in said.items()} == counted
    assert said[HOME]["participation_rate"] == "1.0000"
    size = said[HOME]["tree_size"]
    town.volunteer()
    then = items(pages(desk, "/rates", reader[0], year=2025, as_known=size))
    assert then == list(said.values()), "what was known then"
    credit = desk.get(f"/volunteers/{desk.service['volunteer']}/credit", token=reader[0]).json
    assert (credit["minutes"], [one["index"] for one in credit["records"]]) == (120, [index])
    assert desk.get("/rates?year=2025&on=2030-01-01", token=reader[0]).status_code == 422
    assert desk.get(f"/rates?year=2025&as_known={size + 100}", token=reader[0]).status_code == 422


def test_indicators_say_what_their_page_counts_and_divide_to_it(desk, reader):
    town = desk.town
    said = items(pages(desk, "/indicators", reader[0], year=2025, limit=7))
    with town.read() as tx:
        chosen = adoption.in_force(tx.connection, tx.today.isoformat())
        found = evaluate(Count(tx.connection, 2025, tx.today), chosen)
    assert [(one["station"], one["indicator"]) for one in said] == [
        (unit, one.indicator.id) for unit, mine in found.items() for one in mine
    ]
    for one, standing in zip(said, (one for mine in found.values() for one in mine), strict=True):
        assert (one["numerator"], one.get("denominator"), one.get("reached")) == (
            standing.numerator,
            standing.denominator,
            standing.reached,
        )
        assert (one["missing"], one.get("at_least")) == (standing.missing, standing.target and standing.target.at_least)
    here = items(pages(desk, "/indicators", reader[0], year=2025, station=HOME))
    assert here == [one for one in said if one["station"] == HOME]
    assert desk.get("/indicators?year=2199", token=reader[0]).status_code == 422
    assert desk.get("/indicators", token=reader[0]).status_code == 422


def test_spot_checks_are_listed_with_what_became_of_them(desk, reader):
    town = desk.town
    town.serve(next(iter(town.people)), "2025-01-02 09:00", "11:00")
    done = town.spot_check()
    waiting = town.announce_check()
    town.advance(days=2)
    withdrawn = town.write(lambda tx: spot_checks.withdraw(tx, waiting, "号码没有公布"), OPERATOR).index
    first, second = items(pages(desk, "/spot-checks", reader[0], station=HOME, limit=1))
    assert (first["result_index"], first["held"], first["wrong"], first["nonce"]) == (done.index, 1, 0, "03071219253308")
    assert "withdrawn_index" not in first
    assert (second["index"], second["withdrawn_index"], second["withdrawn_late"]) == (waiting, withdrawn, True)
    assert (second["reason"], "nonce" in second) == ("号码没有公布", False)
