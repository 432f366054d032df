"""The operator's commands about people's data, as they are typed: two people end it, a law may ask for time, the wrapping key is changed."""

import json
from contextlib import closing

import pytest
from commands import shouwang
from files import csv
from town import EAST, LI, ROSTER_HEADER, STATIONS, ZHANG

from ledger.people import volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.settings import Settings
from ledger.store import open_ledger

PASSWORD = "correct horse battery"


class Desk:
    """A folder with a ledger of two people, an approver, and the command."""

    def __init__(self, folder):
        self.folder, self.home = folder, folder / "var"
        people = [[one.name, None, one.id_number, None, EAST, "2025-01-06", "否"] for one in (ZHANG, LI)]
        for kind, rows in (("stations", STATIONS), ("volunteers", [ROSTER_HEADER, *people])):
            (folder / f"{kind}.csv").write_bytes(csv(rows))
            self.run("import", kind, folder / f"{kind}.csv")
        self.settings = Settings(self.home, f"sqlite:///{self.home}/ledger.db")
        with self.book() as ledger, ledger.read() as tx:
            self.numbers = [volunteers.find_by_id_numbers(tx, [one.id_number])[one.id_number].row.number for one in (ZHANG, LI)]

    def book(self):
        return closing(open_ledger(self.settings))

    def run(self, *arguments, code=0, said="", **surroundings):
        done = shouwang(*arguments, cwd=self.folder, said=said, **{"SHOUWANG_HOME": self.home, **surroundings})
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def answer(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def name(self, number):
        with self.book() as ledger, ledger.read() as tx:
            return volunteers.get(tx, number).personal.identity.get("name")


@pytest.fixture
def desk(tmp_path, initialised):
    initialised(tmp_path / "var")
    return Desk(tmp_path)


def test_the_operator_records_and_a_second_person_with_a_password_carries_out(desk):
    zhang, li = desk.numbers
    with desk.book() as ledger:
        Accounts(ledger).create(OPERATOR, "chief", "approver", station=EAST, password=PASSWORD)
        code = Accounts(ledger).create(OPERATOR, "fresh", "approver", station=EAST)
    asked = desk.answer("erase", zhang, "--reason", "consent_withdrawn")
    assert asked["state"] == "open"
    assert "另一个人" in desk.run("erase", zhang).stdout, "again by the same one: still only recorded"
    assert "登录名或密码不对" in desk.run("erase", zhang, "--second", "chief", said="wrong\n", code=2).stderr
    assert "网页" in desk.run("erase", zhang, "--second", "fresh", said=f"{code}\n", code=2).stderr
    assert desk.name(zhang) == ZHANG.name
    done = desk.answer("erase", zhang, "--second", "chief", said=f"{PASSWORD}\n")
    assert (done["request"], done["state"], done["volunteers"]) == (asked["request"], "erased", [zhang])
    assert (desk.name(zhang), desk.name(li)) == (None, LI.name)
    assert desk.answer("verify")["ok"]
    assert "已经注销" in desk.run("erase", zhang, code=2).stderr
    assert desk.answer("jobs", "--status")["oldest_unrotated_erasure"]
    assert "rotate-wrapping-key" in desk.run("jobs", "--status").stdout, "an old copy of the key store still opens with the key of then"
    desk.answer("rotate-wrapping-key")
    assert desk.answer("jobs", "--status")["oldest_unrotated_erasure"] is None
    assert "编号不对" in desk.run("erase", "nobody", code=2).stderr


def test_a_law_that_asks_for_time_turns_the_erasure_into_restriction(desk):
    zhang, _ = desk.numbers
    with desk.book() as ledger:
        Accounts(ledger).create(OPERATOR, "chief", "approver", station=EAST, password=PASSWORD)
    assert "没有法定保存期限" in desk.run("retention", "--volunteer", zhang).stdout
    assert desk.answer("retention", "--years", 50, "--basis", "档案管理规定第八条")["years"] == 50
    assert desk.answer("retention", "--volunteer", zhang) == {"volunteer": zhang, "until": "2075-01-06", "basis": "档案管理规定第八条"}
    done = desk.answer("erase", zhang, "--second", "chief", said=f"{PASSWORD}\n")
    assert (done["state"], done["until"]) == ("restricted", "2075-01-06")
    assert desk.name(zhang) is None
    assert "法定保存期限" in desk.run("erase", zhang, "--second", "chief", said=f"{PASSWORD}\n", code=2).stderr
    assert desk.answer("verify")["ok"]


def test_records_are_handed_over_by_two_into_a_file_for_the_owner_alone(desk):
    with desk.book() as ledger:
        Accounts(ledger).create(OPERATOR, "chief", "approver", station=EAST, password=PASSWORD)
    out = desk.folder / "national.xlsx"
    said = (
        "hand-over",
        EAST,
        "--from",
        "2025-01-01",
        "--to",
        "2025-12-31",
        "--reason",
        "按第67号令报送",
        "--second",
        "chief",
        "--out",
        out,
    )
    assert "登录名或密码不对" in desk.run(*said, said="wrong\n", code=2).stderr
    assert not out.exists()
    done = desk.answer(*said, said=f"{PASSWORD}\n")
    assert (done["people"], done["unconfirmed"]) == (0, 2), "nobody has said yes"
    assert (out.stat().st_mode & 0o777, out.read_bytes()[:2]) == (0o600, b"PK")
    assert "不覆盖" in desk.run(*said, said=f"{PASSWORD}\n", code=2).stderr
    wrong = desk.folder / "own.json"
    wrong.write_text('{"tables": [{"id": "guardian"}]}')
    refused = desk.run(*said[:-1], desk.folder / "other.xlsx", "--mapping", wrong, said=f"{PASSWORD}\n", code=2)
    assert "id 应是" in refused.stderr
    assert desk.answer("verify")["ok"]


def test_the_wrapping_key_is_changed_and_everything_still_reads(desk):
    before = desk.settings.wrapping_key.read_text()
    assert desk.answer("rotate-wrapping-key") == {"rewrapped": 3, "from_environment": False}
    assert desk.settings.wrapping_key.read_text() != before
    assert desk.name(desk.numbers[0]) == ZHANG.name
    fresh = "ab" * 32
    given = {"SHOUWANG_WRAPPING_KEY": desk.settings.wrapping_key.read_text().strip()}
    assert "SHOUWANG_WRAPPING_KEY_NEXT" in desk.run("rotate-wrapping-key", code=2, **given).stderr
    assert desk.answer("rotate-wrapping-key", SHOUWANG_WRAPPING_KEY_NEXT=fresh, **given)["from_environment"]
    assert desk.answer("verify", SHOUWANG_WRAPPING_KEY=fresh)["ok"]
