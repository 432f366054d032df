"""Many people of one station, enrolled at once: common names, and ID numbers that pass the check."""

from datetime import date

from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration

STATION = "340104001004"
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", ("建国", "秀英", "桂兰", "志强", "海燕", "文博")


def enrol(world, count):
    """Register people at the recorder's station. Returns name and number of each."""
    people = []
    for at in range(count):
        body = f"340104{date(1950 + at // 12, 1 + at % 12, 9):%Y%m%d}{at:03d}"
        name = SURNAMES[at % 10] + GIVEN[at // 10]
        people.append(Registration(name, body + calc_check_digit(body), STATION, date(2025, 1, 6), "roster"))
    numbers = world.ledger.write(lambda tx: volunteers.register_many(tx, people), OPERATOR)
    return list(zip([one.name for one in people], numbers, strict=True))
