"""What is done at a desk with one volunteer, in a few words: register, hand over a code, confirm, and a second person who accepts."""

from world import HOME

from ledger.people import confirmations, deciding, proposals, volunteers
from ledger.people.actors import Actor
from ledger.people.volunteers import Registration

CLERK, SECOND, ABOVE = Actor("clerk", "recorder", HOME), Actor("second", "recorder", HOME), Actor("above", "approver", HOME)
OFFICIAL = Actor("official", "official")
DIGEST = "A" * 43 + "="
ADULT, MINOR, CHILD, INFANT = "340102195001010024", "340102200901010023", "340102201401010021", "340102202201010021"


def person(number):
    return Actor(f"account-{number}", "volunteer", None, number)


def register(world, id_number=ADULT, name="张敏", *, by=CLERK, station=HOME, **said):
    said = {"basis": "clerk", "registered_on": world.today, **said}
    registration = Registration(name, id_number, station, said.pop("registered_on"), said.pop("basis"), **said)
    return world.write(lambda tx: volunteers.register_many(tx, [registration]), by)[0]


def hand(world, number, by):
    world.ledger.operate(lambda connection, now: confirmations.note_code(connection, now, by.account, number))


def confirm(world, number):
    return world.write(confirmations.by_person, person(number))


def waiting(world, actor):
    with world.read() as tx:
        return [(one.row.kind, one.row.id) for one in proposals.waiting(tx, actor)]


def row(world, number):
    with world.read() as tx:
        return volunteers.get(tx, number, follow=False).row


def served(world, number, day="2025-01-03"):
    """Two hours that count."""
    world.people[number] = HOME
    receipt = world.serve(number, f"{day} 09:00", "11:00")
    world.approve(receipt.index)
    world.advance(days=20)
    return receipt.index


def accept(world, proposal, by, typed=None):
    return world.write(lambda tx: deciding.accept(tx, proposal, typed), by)
