"""Whoever looks around, by whatever link a page offers, meets no name, ID number or phone but masked: only one's own, and what one brought oneself."""

import io
import re
import unicodedata
from urllib.parse import urljoin, urlsplit

import openpyxl
import pytest

from api.auth import SIGNED_IN
from api.downloads import attachment
from ledger.errors import NotAllowed

LINK = re.compile(r'href="([^"#]+)"')
PAGES_MAX = 250


@pytest.fixture
def secrets(roster, sheet):
    """Everybody of roster and sheet: full names, ID numbers, phones."""
    found = set()
    for content in (roster, sheet):
        for row in openpyxl.load_workbook(io.BytesIO(content)).active.values:
            for cell in row:
                text = "".join(unicodedata.normalize("NFKC", str(cell or "")).split())
                if re.fullmatch(r"\d{17}[\dXx]|1\d{10}", text):
                    found.add(text)
    return found


@pytest.fixture
def names(world, secrets):
    with world.ledger.read() as tx:
        people = tx.vault.open(tx.connection, tx.vault.subjects(tx.connection))
    return {person.identity["name"] for person in people.values() if person.identity}


def everything_linked(visitor, start="/"):
    """Follow every link from the first page on; gives path and answer."""
    waiting, seen = [start], {start}
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.pop(0)
        answer = visitor.client.get(path, follow_redirects=True, buffered=True)
        yield path, answer
        if answer.mimetype == "text/html":
            for link in LINK.findall(answer.text):
                target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
                there = target.path + (f"?{target.query}" if target.query else "")
                if not target.netloc and there not in seen and not target.path.startswith(("/static", "/oidc")):
                    seen.add(there)
                    waiting.append(there)


@pytest.mark.parametrize("role", [None, *SIGNED_IN])
def test_nobody_meets_anybody_in_full(world, person, recorded, secrets, names, role):
    assert len(secrets) > 20
    assert len(names) > 20
    signed_in = {None: (), "volunteer": (person.number, person.password)}.get(role, (role,))
    visitor = world.visitor(*signed_in)
    paths = (
        ["/"]
        if role not in ("recorder", "approver", "official")
        else ["/", f"/volunteers/{person.number}", f"/volunteers/{person.number}/personal"]
    )
    looked, own = 0, set(_own(world, person))
    for start in paths:
        for path, answer in everything_linked(visitor, start):
            assert answer.status_code < 500, path
            text = answer.get_data().decode("utf-8", "replace")
            if answer.mimetype.endswith("sheet"):
                continue  # the clerk's own workbook, back to the clerk
            shown = [secret for secret in secrets | names if secret in text]
            assert set(shown) <= (own if role == "volunteer" else set()), (path, len(shown))
            looked += 1
    assert looked >= (4 if role is None else 6), "there is more to see than that"


def _own(world, person):
    with world.ledger.read() as tx:
        personal = tx.vault.open(tx.connection, [f"person/{person.number}"])[f"person/{person.number}"]
    return [*personal.identity.values(), *personal.contact.values()]


def test_a_download_with_somebody_elses_number_is_refused(world):
    with world.app.test_request_context():
        with pytest.raises(NotAllowed, match="名单"):
            attachment(b'{"phone": "136 2424 2754"}', "application/json", "名单.json")
        assert attachment(b'{"phone": "136 2424 2754"}', "application/json", "x.json", personal=True).status_code == 200
