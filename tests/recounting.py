"""The ledger judged without the ledger: stored bytes, the standard library and one signature check, and nothing of ours.

`check_log` recomputes every hash, chain, tile, tree head and checkpoint; `Recount` folds decoded entries into hours and rates by the plainest means.
"""

import base64
import hashlib
import json
import sqlite3
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TILE = 256
NEVER = "9999-12-31"


def leaf_hash(raw: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + raw).digest()


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def concerned(body: dict) -> set[str]:
    """Whose chains an entry belongs to, read off its body."""
    found = {f"{kind}/{body[name]}" for kind, name in (("person", "volunteer"), ("organisation", "organisation")) if name in body}
    found |= {f"person/{volunteer}" for volunteer in body.get("volunteers", [])}
    return found | ({f"station/{body['station']}"} if "station" in body else set())


def check_entries(rows: list[tuple[int, bytes, bytes, bytes]]) -> tuple[list[dict], list[bytes]]:
    """Check rows (index, id, leaf, bytes); return what the entries say, and the leaf hashes of their bytes."""
    said, leaves = [], []
    previous, chains = None, {}
    for number, (index, entry_id, stored, raw) in enumerate(rows):
        leaf, entry = leaf_hash(raw), json.loads(raw)
        assert (index, entry["index"], stored) == (number, number, leaf)
        assert json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == raw, "not canonical"
        assert uuid.UUID(entry["id"]).bytes == entry_id
        assert entry.get("prev") == previous
        assert entry["chains"].keys() == concerned(entry["body"])
        for subject, place in entry["chains"].items():
            count, last = chains.get(subject, (0, None))
            assert place == [count + 1, *([last] if count else [])], f"{number}: {subject}"
            chains[subject] = (count + 1, b64(leaf))
        assert not said or entry["recorded_at"] >= said[-1]["recorded_at"]
        said.append(entry)
        leaves.append(leaf)
        previous = b64(leaf)
    return said, leaves


def check_tiles(rows: list[tuple[int, int, bytes, bytes]], leaves: list[bytes]) -> None:
    """Check full tiles (level, index, hashes, root): exactly those there should be, each hash computed from its leaves."""
    wanted = []
    level, span = 0, 1
    while len(leaves) >= span * TILE:
        for index in range(len(leaves) // (span * TILE)):
            under = leaves[index * span * TILE : (index + 1) * span * TILE]
            hashes = b"".join(tree_hash(under[at : at + span]) for at in range(0, len(under), span))
            wanted.append((level, index, hashes, tree_hash(under)))
        level, span = level + 1, span * TILE
    assert sorted(rows) == wanted


def check_batches(rows: list[tuple[int, bytes, str]], said: list[dict], leaves: list[bytes]) -> None:
    """Check tree heads (size, root, time): each commit's entries bear its one time, and the last head is the whole log."""
    sizes = [size for size, _, _ in sorted(rows)]
    assert [0, *sizes][-1] == len(said)
    for first, (size, root, recorded_at) in zip([0, *sizes], sorted(rows), strict=False):
        assert {entry["recorded_at"] for entry in said[first:size]} == {recorded_at}
        assert root == tree_hash(leaves[:size])


def check_checkpoint(note: str, vkeys: list[tuple[int, str]], leaves: list[bytes]) -> int:
    """Check a signed note with `cryptography` alone; return the size it speaks of. The keys: from which size on each has to sign, oldest first."""
    text, signatures = note.split("\n\n")
    origin, size, root = text.split("\n")
    signed = set()
    for line in signatures.removesuffix("\n").split("\n"):
        dash, name, encoded = line.split(" ")
        signature = base64.b64decode(encoded)
        [(since, public)] = [(s, p) for s, n, i, p in map(_parts, vkeys) if (n, i) == (name, signature[:4].hex())]
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], f"{text}\n".encode())
        assert (dash, name, signatures[-1]) == ("—", origin, "\n")
        signed.add(since)
    assert max(since for since, _ in vkeys if since <= int(size)) in signed
    assert root == b64(tree_hash(leaves[: int(size)]))
    assert int(size) <= len(leaves)
    return int(size)


def _parts(key: tuple[int, str]) -> tuple[int, str, str, bytes]:
    """Since when, name, key id and public key, with its type, of a vkey."""
    name, key_id, encoded = key[1].split("+", 2)
    public = base64.b64decode(encoded)
    assert hashlib.sha256(f"{name}\n".encode() + public).digest()[:4].hex() == key_id
    return key[0], name, key_id, public


def check_rotations(said: list[dict], vkeys: list[str]) -> list[tuple[int, str]]:
    """Check that each rotation is signed by both keys and leads to the next; return from which size on each key has to sign."""
    found = [entry for entry in said if entry["kind"] == "key.rotated"]
    keys = [(0, found[0]["body"]["old_vkey"] if found else vkeys[0])]
    for entry in found:
        body = entry["body"]
        old, new, index = body["old_vkey"], body["new_vkey"], entry["index"]
        assert (old, body["valid_from"]) == (keys[-1][1], index)
        text = f"shouwang/key-rotated/v1\norigin {body['origin']}\nold {old}\nnew {new}\nvalid from {index}\n"
        for vkey, signature in ((old, body["old_signature"]), (new, body["new_signature"])):
            Ed25519PublicKey.from_public_bytes(_parts((0, vkey))[3][1:]).verify(base64.b64decode(signature), text.encode())
        keys.append((index + 1, new))
    assert set(vkeys) <= {vkey for _, vkey in keys}
    return keys


def check_guard(path: Path, newest: int, leaves: list[bytes]) -> None:
    """Check the second store: what was signed last is the newest checkpoint."""
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT size, root FROM signed").fetchall()
    assert found == ([(newest, b64(tree_hash(leaves[:newest])))] if newest else [])


class Recount:
    """Stations, people and hours as decoded entries tell them, on a day."""

    def __init__(self, said: list[dict], today: str) -> None:
        self.today = today
        self.stations, self.populations, self.volunteers, self.activities, self.services = {}, {}, {}, {}, {}
        self.certificates = {}
        self.record = {}
        self.merged = {}
        for entry in said:
            self.actor = entry["actor"]
            getattr(self, "_" + entry["kind"].replace(".", "_"), lambda *_: None)(entry["index"], entry["body"])

    def _station_registered(self, _index, body):
        self.stations[body["station"]] = body.get("parent")

    def _station_changed(self, _index, body):
        self.stations[body["station"]] = body.get("parent", self.stations[body["station"]])

    def _station_ended(self, _index, body):
        if "successor" in body:
            self.merged[body["station"]] = body["ended_on"], body["successor"]

    def _station_population_declared(self, _index, body):
        self.populations[body["station"], body["counted_on"]] = body["population"]

    def _volunteer_registered(self, _index, body):
        before = self.volunteers.get(body["volunteer"], {"homes": []})
        confirmed = body["registered_on"] if body["basis"] == "self" else NEVER
        home = [body["registered_on"], NEVER, body["station"], body["registered_on"]]
        self.volunteers[body["volunteer"]] = {
            "homes": [*before["homes"], home],
            "confirmed": confirmed,
            "means": "",
            "backbone": NEVER,
            "disowned": False,
        }

    def _volunteer_backbone_designated(self, _index, body):
        self.volunteers[body["volunteer"]]["backbone"] = body["designated_on"]

    def _volunteer_confirmed(self, _index, body):
        person = self.volunteers[body["volunteer"]]
        if person["confirmed"] == NEVER:
            person["confirmed"] = body["confirmed_on"]
        person["means"] = body["means"]

    def _volunteer_moved(self, _index, body):
        homes = self.volunteers[body["volunteer"]]["homes"]
        assert homes[-1][2] == body["from_station"]
        homes[-1][1] = body["moved_on"]
        homes.append([body["moved_on"], NEVER, body["station"], homes[-1][3]])

    def _volunteer_withdrawn(self, _index, body):
        person = self.volunteers[body["volunteer"]]
        person["homes"][-1][1] = body["withdrawn_on"]
        if body["reason"] == "not_me":
            person["disowned"] = True
            person["homes"] = [home for home in person["homes"] if home[3] != person["homes"][-1][3] or home[0] < home[3]]

    def _volunteer_merged(self, _index, body):
        gone, kept = self.volunteers[body["volunteer"]], self.volunteers[body["into"]]
        gone["homes"] = []
        for name in ("confirmed", "backbone"):
            kept[name] = min(kept[name], gone[name])
        for service in self.services.values():
            if service["volunteer"] == body["volunteer"]:
                service["volunteer"] = body["into"]
        moved = {key: self.record.pop(key) for key in [key for key in self.record if key[0] == body["volunteer"]]}
        for (_, index), fact in moved.items():
            there = self.record.get((body["into"], index))
            if there is None or (there["undone"] and not fact["undone"]):
                self.record[body["into"], index] = fact

    def _volunteer_erased(self, _index, body):
        homes = self.volunteers[body["volunteer"]]["homes"]
        if homes:
            homes[-1][1] = min(homes[-1][1], body["decided_on"])

    _volunteer_restricted = _volunteer_erased

    def _activity_published(self, _index, body):
        self.activities[body["activity"]] = body

    def _service_recorded(self, index, body):
        self.services[index] = {**body, "counts_from": body["served_on"] if body.get("settled") else "9999-12-31", "frozen": False}

    def _service_approved(self, _index, body):
        for service in body["services"]:
            self.services[service]["counts_from"] = body["effective_on"]

    def _service_corrected(self, _index, body):
        times = ("served_on", "start", "end", "minutes")
        self.services[body["service"]] |= {name: body[name] for name in times}
        if self.actor != "operator":
            self.services[body["service"]]["counts_from"] = "9999-12-31"
        self._touched(body["service"])

    def _service_voided(self, _index, body):
        del self.services[body["service"]]
        self._touched(body["service"])

    def _batch_voided(self, _index, body):
        for service in body["services"]:
            del self.services[service]
            self._touched(service)

    def _certificate_issued(self, index, body):
        series, serial = body["certificate"][:-7], int(body["certificate"][-6:])
        assert serial == 1 + sum(number.startswith(f"{series}-") for number in self.certificates), "numbers have no gap"
        assert sum(body["grades"].values()) == body["minutes"]
        assert body["tree_size"] <= index
        assert all(record in self.services and record < body["tree_size"] for record in body["records"])
        assert sum(self.services[record]["minutes"] for record in body["records"]) == body["minutes"]
        self.certificates[body["certificate"]] = {**body, "changed": set(), "revoked": False}

    def _certificate_revoked(self, _index, body):
        assert not self.certificates[body["certificate"]]["revoked"]
        self.certificates[body["certificate"]]["revoked"] = True

    def _touched(self, service):
        for certificate in self.certificates.values():
            certificate["changed"] |= {service} & set(certificate["records"])

    def _said(self, index, body):
        """A fact of a credit record beside services, under whoever it is about."""
        for owner in body.get("volunteers", [body.get("volunteer") or body.get("organisation")]):
            self.record[owner, index] = {**body, "undone": False}

    _training_recorded = _evaluation_recorded = _award_granted = _conduct_recorded = _said
    _organisation_appraised = _organisation_credit_noted = _points_spent = _said

    def _undo(self, index, owners=None):
        found = [fact for (owner, number), fact in self.record.items() if number == index and (owners is None or owner in owners)]
        assert found, "what is undone was said"
        for fact in found:
            assert not fact["undone"], "once"
            fact["undone"] = True

    def _training_voided(self, _index, body):
        self._undo(body["training"], body["volunteers"])

    def _evaluation_voided(self, _index, body):
        self._undo(body["evaluation"])

    def _award_withdrawn(self, _index, body):
        self._undo(body["award"])

    def _conduct_lifted(self, _index, body):
        self._undo(body["conduct"])

    def _organisation_credit_lifted(self, _index, body):
        self._undo(body["note"])

    def recorded(self, owner: str) -> list[tuple[int, bool]]:
        """What is recorded of somebody beside services: the entries, and whether each was undone."""
        return sorted((index, fact["undone"]) for (whose, index), fact in self.record.items() if whose == owner)

    def certificate(self, number: str) -> tuple[str, int]:
        """How a certificate stands today, and what its records count."""
        said, counting = self.certificates[number], self.counting(self.today)
        mine = [counting[record] for record in said["records"] if record in counting]
        mine = [service for service in mine if not self.volunteers[service["volunteer"]]["disowned"]]
        amended = said["changed"] or len(mine) < len(said["records"])
        return "revoked" if said["revoked"] else "amended" if amended else "valid", sum(service["minutes"] for service in mine)

    def _service_contested(self, _index, body):
        if body["service"] in self.services:
            self.services[body["service"]]["frozen"] = body["frozen"]

    def _service_objection_decided(self, _index, body):
        if body["service"] in self.services:
            self.services[body["service"]]["frozen"] = False

    def counting(self, day: str) -> dict[int, dict]:
        """The services that count on a day."""
        return {index: service for index, service in self.services.items() if service["counts_from"] <= day and not service["frozen"]}

    def credit(self, volunteer: str) -> tuple[int, list[int], dict[str, int], dict[str, int]]:
        """Minutes, records, minutes by year and by grade that count today."""
        counting = {} if self.volunteers[volunteer]["disowned"] else self.counting(self.today)
        mine = {index: service for index, service in counting.items() if service["volunteer"] == volunteer}
        by_year, by_grade = Counter(), Counter()
        for service in mine.values():
            by_year[service["served_on"][:4]] += service["minutes"]
            by_grade[service["grade"]] += service["minutes"]
        return sum(service["minutes"] for service in mine.values()), sorted(mine), dict(by_year), dict(by_grade)

    def rates(self, year: int) -> dict[str, dict[str, int]]:
        """The counts of every unit for a year, as of its end or today."""
        day = min(f"{year}-12-31", self.today)
        return {code: self._unit(code, year, day) for code in self.stations}

    def _unit(self, code: str, year: int, day: str) -> dict[str, int]:
        below = {unit for unit in self.stations if code in self._above(unit)}
        people = {
            n: v for n, v in self.volunteers.items() if any(since <= day < until and at in below for since, until, at, _ in v["homes"])
        }
        counted = [
            service
            for service in self.counting(day).values()
            if service["volunteer"] in people and f"{year}-01-01" <= service["served_on"] <= day
        ]
        return {
            "population": self._population(code, day),
            "registered": len(people),
            "confirmed": sum(person["confirmed"] <= day for person in people.values()),
            "confirmed_at_desk": sum(p["confirmed"] <= day and p["means"] in ("desk_code", "paper") for p in people.values()),
            "participants": len({service["volunteer"] for service in counted}),
            "backbone": sum(person["backbone"] <= day for person in people.values()),
            "minutes": sum(service["minutes"] for service in counted),
        }

    def _above(self, code: str | None) -> list[str]:
        return [code, *self._above(self.stations[code])] if code is not None else []

    def _population(self, code: str, day: str) -> int:
        ended_on, heir = self.merged.get(code, (NEVER, ""))
        while self.merged.get(heir, (NEVER, ""))[0] <= day:
            heir = self.merged[heir][1]
        if ended_on <= day and any(station == heir and ended_on <= counted <= day for station, counted in self.populations):
            return 0
        declared = [number for (station, counted), number in sorted(self.populations.items()) if station == code and counted <= day]
        return declared[-1] if declared else sum(self._population(unit, day) for unit, above in self.stations.items() if above == code)
