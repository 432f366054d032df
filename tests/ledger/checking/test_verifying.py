"""Whatever is changed behind the ledger's back is found, at its place, and the search goes on to the next."""

import json

import credited
import fuller
import pytest
import recounting
from world import HOME, OTHER

from ledger import history, projections, tables
from ledger.certificates import issuing
from ledger.certificates.documents import Wish
from ledger.errors import Corrupt, SettingsError
from ledger.ids import new_number
from ledger.log import Fact
from ledger.notes import Checkpoint, Signer, sign_checkpoint
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.destruction import unfind
from ledger.tables import table

ELSEWHERE = {"cosignature", "key_rotation"}  # the town has no witness and never changes its key: their own tests tamper with them
LOG, PROJECTIONS = ([table(model) for model in group if table(model).name not in ELSEWHERE] for group in (tables.LOG, tables.PROJECTIONS))
UNIQUE = {"certificate": ("number", "serial")}
"""What may be there only once, beside the key."""
SIZE = 260


@pytest.fixture
def town(settled):
    """A town with a row in every table, a full tile, and checkpoints at two sizes."""
    return settled(grown)


def grown(world):
    people = world.town()
    said = {"requested_on": "2025-01-26", "decided_on": "2025-01-27", "reason": "own_wish", "asked_by": people[3], "until": "2028-01-27"}
    facts = [
        Fact("role.granted", {"account": new_number(), "role": "approver", "station": HOME, "proposed_by": new_number()}),
        Fact(
            "volunteer.moved",
            {"volunteer": people[2], "from_station": HOME, "station": OTHER, "moved_on": "2025-01-20", "asked_by": people[2]},
        ),
        Fact("volunteer.restricted", {"volunteer": people[3], "station": HOME, "basis": "档案管理规定", **said}),
    ]
    world.write(lambda tx: (tx.append(facts), unfind(tx.connection, [f"person/{people[3]}"])))
    [(record, station)] = world.sql(f"SELECT entry_index, station FROM service WHERE volunteer = '{people[1]}'")
    said = {"service": record, "volunteer": people[1], "station": station}
    contested = {**said, "claim": "time", "frozen": False, "due_on": "2025-02-07"}
    objection = world.write(lambda tx: tx.append([Fact("service.contested", contested)]))[0].index
    decided = {**said, "objection": objection, "finding": "rejected", "reason": "签到表上就是这个时间"}
    world.write(lambda tx: tx.append([Fact("service.objection_decided", decided)]))
    missed = {"volunteer": people[1], "station": station, "served_on": "2025-01-03", "proof": "receipt", "means": "self"}
    missed |= {"receipt": {"index": 4711, "short_hash": "0123456789ab", "state": "beyond"}, "due_on": "2025-02-07"}
    missed |= {"activity": new_number(), "start": "2025-01-03T09:00", "end": "2025-01-03T10:00"}
    omission = world.write(lambda tx: tx.append([Fact("service.omission_claimed", missed)]))[0].index
    answer = {
        "omission": omission,
        "volunteer": people[1],
        "station": station,
        "finding": "upheld",
        "reason": "签到表上有",
        "service": record,
    }
    world.write(lambda tx: tx.append([Fact("service.omission_decided", answer)]))
    Accounts(world.ledger).create(OPERATOR, "desk", "recorder", station=HOME)
    wish = Wish(people[0], period_to=world.today)
    issued = world.write(lambda tx: issuing.issue(tx, world.ledger.signing, world.settings.origin, wish))
    world.revoke(issued.number)
    credited.write_everything(world, people)
    fuller.write_the_rest(world)
    world.rotate()
    world.grow(SIZE)
    world.sign()


def found(world, **options):
    return [(fault.index, fault.what) for fault in world.verify(**options).faults]


def other_value(value, column):
    """Another value that the column could hold."""
    if value is None:
        return "其他" if str(column.type) == "TEXT" else 7
    if isinstance(value, int):
        return value + (1_000_000 if column.primary_key else 1)
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    return value[:-1] + ("x" if value[-1] != "x" else "y")


def entry_named(name, row):
    """The entry that a row is about, if it is about one."""
    if name == "batch":
        return row["size"] - 1
    return row["index"] if name == "entry" else row.get("entry_index")


# --- one value


@pytest.mark.parametrize("target", [*LOG, *PROJECTIONS], ids=str)
def test_any_value_changed_in_any_column_is_found_in_its_table_and_entry(town, target):
    name, columns = target.name, list(target.columns)
    quoted = ", ".join(f'"{column.name}"' for column in columns)
    rows = [dict(zip(target.columns.keys(), row, strict=True)) for row in town.sql(f"SELECT {quoted} FROM {name}")]
    for column in columns:
        row = next((row for row in reversed(rows[: len(rows) // 2 + 1]) if row[column.name] is not None), rows[0])
        new = other_value(row[column.name], column)
        where = " AND ".join(f'"{key.name}" = ?' for key in target.primary_key)
        with town.damaged(name):
            town.sql(f'UPDATE {name} SET "{column.name}" = ? WHERE {where}', new, *(row[key.name] for key in target.primary_key))
            faults = found(town)
        mine = [index for index, what in faults if what.startswith(name)]
        assert mine, f"{name}.{column.name}: {row[column.name]!r} -> {new!r} gave {faults[:5]}"
        if (about := entry_named(name, row)) is not None and not column.primary_key:
            assert {about, about + 1} & set(mine), f"{name}.{column.name} of entry {about} gave {faults[:5]}"


@pytest.mark.parametrize("target", PROJECTIONS, ids=str)
def test_a_row_taken_from_a_projection_or_slipped_into_it_is_found(town, target):
    name = target.name
    columns = ", ".join(f'"{column.name}"' for column in target.columns)
    row = list(town.sql(f"SELECT {columns} FROM {name} LIMIT 1")[0])
    key = next(iter(target.primary_key)).name
    place = list(target.columns.keys()).index(key)
    with town.damaged(name):
        town.sql(f'DELETE FROM {name} WHERE "{key}" = ?', row[place])
        assert any(what.startswith(f"{name}[") for _, what in found(town))
    for unique in (key, *UNIQUE.get(name, ())):
        place = list(target.columns.keys()).index(unique)
        row[place] = 99_999 if isinstance(row[place], int) else "99999"
    with town.damaged(name):
        town.sql(f"INSERT INTO {name} ({columns}) VALUES ({','.join('?' * len(row))})", *row)
        assert any(what.startswith(f"{name}[99999") for _, what in found(town))


# --- the bytes of one entry


def test_one_bit_flipped_anywhere_in_an_entry_is_one_fault_at_its_index(town):
    [(raw,)] = town.sql('SELECT body FROM entry WHERE "index" = 9')
    for at in range(3, len(raw), len(raw) // 12):
        with town.damaged("entry"):
            town.sql('UPDATE entry SET body = ? WHERE "index" = 9', raw[:at] + bytes([raw[at] ^ 2]) + raw[at + 1 :])
            faults = found(town)
        assert (9, "entry.leaf") in faults
        assert {index for index, what in faults if what in ("entry.leaf", "entry.body.prev")} == {9}, at
        assert {index for index, what in faults if what in ("entry.index", "entry.body.index")} <= {9}


def test_an_altered_entry_is_not_blamed_on_the_chains_after_it(town):
    """A minute more in an entry of a busy volunteer: nothing else is wrong with the chains."""
    index, raw = next((i, raw) for i, raw in town.sql('SELECT "index", body FROM entry ORDER BY "index"') if b'"minutes":240' in raw)
    with town.damaged("entry"):
        town.sql('UPDATE entry SET body = ? WHERE "index" = ?', raw.replace(b'"minutes":240', b'"minutes":241'), index)
        faults = found(town)
    assert [fault for fault in faults if fault[1].startswith("entry")] == [(index, "entry.leaf")]
    assert any(what.startswith("service[") and what.endswith(".minutes") for _, what in faults)


def test_the_search_goes_on_to_every_other_fault(town):
    with town.damaged("entry", "tile", "station", "batch"):
        for index in (2, 100, 250):
            town.sql('UPDATE entry SET body = ? WHERE "index" = ?', b"{}", index)
        town.sql("UPDATE station SET name = 'x' WHERE code = '340104001002'")
        faults = found(town)
    assert {index for index, what in faults if what == "entry.leaf"} == {2, 100, 250}
    assert {index for index, what in faults if what == "entry.body"} == {2, 100, 250}
    assert any(what == "station[340104001002].name" for _, what in faults)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"null", b"[]", b"7", b'"x"', b"{}", b'{"index":5}', b"[" * 5_000, b'{"a":' * 3_000])
def test_bytes_that_are_no_entry_at_all_are_found(town, raw):
    with town.damaged("entry"):
        town.sql('UPDATE entry SET body = ? WHERE "index" = 5', raw)
        assert {(5, "entry.leaf"), (5, "entry.body")} <= set(found(town))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("recorded_at", 5),
        ("id", 7),
        ("actor", None),
        ("chains", {"station/1": 5}),
        ("chains", {}),
        ("index", "5"),
        ("index", 5.0),
        ("v", {}),
        ("kind", []),
    ],
)
def test_an_envelope_of_other_types_is_found(town, member, value):
    [(raw,)] = town.sql('SELECT body FROM entry WHERE "index" = 5')
    forged = json.dumps(json.loads(raw) | {member: value}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with town.damaged("entry"):
        town.sql('UPDATE entry SET body = ?, leaf = ? WHERE "index" = 5', forged, recounting.leaf_hash(forged))
        faults = found(town)
    assert any(index == 5 and what.startswith("entry.body") for index, what in faults)
    assert (6, "entry.body.prev") in faults


@pytest.mark.parametrize(("column", "value"), [("id", b""), ("id", b"short"), ("leaf", b""), ("leaf", b"short")])
def test_an_id_or_leaf_of_another_length_is_found(town, column, value):
    with town.damaged("entry"):
        town.sql(f'UPDATE entry SET {column} = ? WHERE "index" = 5', value)
        assert (5, f"entry.{column}") in found(town)


def test_values_of_types_that_a_column_should_not_hold_are_found(town):
    """SQLite stores what it is given."""
    if town.ledger.engine.dialect.name != "sqlite":
        return
    for name, column, value in (
        ("service", "minutes", "x"),
        ("service", "start", b"\xff"),
        ("chain", "subject", b"person"),
        ("chain", "length", 1.5),
        ("station", "name", 7.25),
        ("batch", "recorded_at", b"\xff"),
    ):
        with town.damaged(name):
            town.sql(f"UPDATE {name} SET {column} = ? WHERE rowid IN (SELECT rowid FROM {name} LIMIT 1)", value)
            assert any(what.startswith(name) for _, what in found(town)), (name, column)


# --- whole rows of the log


def test_two_entries_that_changed_places_are_found_where_they_stand(town):
    with town.damaged("entry"):
        rows = {i: (entry_id, leaf, raw) for i, entry_id, leaf, raw in town.sql('SELECT "index", id, leaf, body FROM entry') if i in (3, 7)}
        town.sql('DELETE FROM entry WHERE "index" IN (3, 7)')
        for index, other in ((3, 7), (7, 3)):
            town.sql('INSERT INTO entry ("index", id, leaf, body) VALUES (?, ?, ?, ?)', index, *rows[other])
        faults = found(town)
    assert {(3, "entry.body.index"), (7, "entry.body.index")} <= set(faults)
    assert {index for index, what in faults if what == "entry.body.prev"} <= {3, 4, 7, 8}
    assert {index for index, what in faults if what == "entry.body.index"} == {3, 7}


@pytest.mark.parametrize("index", [0, 30, SIZE - 1])
def test_an_entry_taken_out_is_found(town, index):
    with town.damaged("entry"):
        town.sql('DELETE FROM entry WHERE "index" = ?', index)
        faults = found(town)
    assert any(what.startswith(("entry", "batch.size")) for _, what in faults)
    assert any(what.endswith("root") or what == "batch.size" for _, what in faults)


def test_an_entry_slipped_in_at_the_end_is_found(town):
    with town.damaged("entry"):
        town.sql('INSERT INTO entry ("index", id, leaf, body) VALUES (?, ?, ?, ?)', SIZE, b"i" * 16, b"l" * 32, b"{}")
        faults = found(town)
    assert {(SIZE, "entry.leaf"), (SIZE, "entry.body"), (None, "batch.size")} <= set(faults)


@pytest.mark.parametrize(
    ("name", "statement", "what"),
    [
        ("tile", "DELETE FROM tile", "tile/0/0"),
        ("tile", "INSERT INTO tile VALUES (0, 1, ?, ?)", "tile/0/1"),
        ("tile", "INSERT INTO tile VALUES (3, 0, ?, ?)", "tile/3/0"),
        ("batch", f"DELETE FROM batch WHERE size = {SIZE}", "batch.size"),
        ("batch", f"INSERT INTO batch VALUES ({SIZE + 5}, ?, ?)", "batch.size"),
        ("batch", f"INSERT INTO batch VALUES ({SIZE - 5}, ?, ?)", "batch.root"),
        ("checkpoint", "INSERT INTO checkpoint (size, note) VALUES (5, ?)", "checkpoint/5"),
    ],
)
def test_a_row_of_the_log_too_few_or_too_many_is_found(town, name, statement, what):
    values = ["x" if name != "tile" and n == statement.count("?") - 1 else b"x" * 32 for n in range(statement.count("?"))]
    with town.damaged(name):
        town.sql(statement, *values)
        assert what in {what for _, what in found(town)}


def test_a_commits_tree_head_taken_out_is_found(town):
    """The entries before and after it bear different times: they were two commits."""
    sizes = [size for (size,) in town.sql("SELECT min(size) FROM batch GROUP BY recorded_at ORDER BY 1")]
    before = next(size for (size,) in town.sql("SELECT max(size) FROM batch WHERE size < ?", sizes[1]))
    with town.damaged("batch"):
        town.sql("DELETE FROM batch WHERE size = ?", before)
        assert any(what.startswith("batch") for _, what in found(town))


# --- a second history


def rewrite(world, index, change):
    """Change an entry's body and hash everything after it anew: entries, chains, tiles, tree heads. Only signatures are out of reach."""
    rows = world.sql('SELECT "index", body FROM entry ORDER BY "index"')
    previous, chains, leaves = None, {}, []
    for number, raw in rows:
        entry = json.loads(raw)
        if number == index:
            change(entry)
        if previous is not None:
            entry["prev"] = previous
        entry["chains"] = {}
        for subject in sorted(recounting.concerned(entry["body"])):
            count, last = chains.get(subject, (0, None))
            entry["chains"][subject] = [count + 1, last] if count else [1]
        made = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        leaf = recounting.leaf_hash(made)
        previous = recounting.b64(leaf)
        for subject in entry["chains"]:
            chains[subject] = (chains.get(subject, (0, None))[0] + 1, previous)
        leaves.append(leaf)
        if made != raw:
            world.sql('UPDATE entry SET leaf = ?, body = ? WHERE "index" = ?', leaf, made, number)
    for (size,) in world.sql("SELECT size FROM batch"):
        world.sql("UPDATE batch SET root = ? WHERE size = ?", recounting.tree_hash(leaves[:size]), size)
    world.sql("UPDATE tile SET hashes = ?, root = ?", b"".join(leaves[:256]), recounting.tree_hash(leaves[:256]))
    return leaves


EVERYTHING = [target.name for target in (*LOG, *PROJECTIONS)]


def more_minutes(entry):
    assert entry["kind"] == "service.recorded"
    entry["body"]["minutes"] += 1


def served_at(world):
    return next(entry["index"] for entry in world.entries() if entry["kind"] == "service.recorded")


def test_a_tail_hashed_anew_is_caught_by_what_was_signed_and_by_nothing_else(town):
    index = served_at(town)
    with town.damaged(*EVERYTHING):
        rewrite(town, index, more_minutes)
        with pytest.raises(Corrupt, match="上次签名"):
            history.rebuild(town.another(), OPERATOR)  # nothing is written any more: so the forger's own hand does it
        remake(town, SIZE)
        sizes = [size for (size,) in town.sql("SELECT size FROM checkpoint ORDER BY size") if size > index]
        signed = {(size - 1, f"checkpoint/{size}.root") for size in sizes}
        assert sorted(found(town)) == sorted({*signed, (SIZE - 1, "last-signed.root")})
        town.sql("DELETE FROM checkpoint")
        assert found(town) == [(SIZE - 1, "last-signed.root")]


def test_a_checkpoint_kept_elsewhere_shows_a_history_that_was_rewritten(town):
    [(kept,)] = town.sql("SELECT note FROM checkpoint ORDER BY size LIMIT 1")
    size = int(kept.split("\n")[1])
    assert found(town, against=kept.encode()) == []
    with town.damaged(*EVERYTHING):
        rewrite(town, served_at(town), more_minutes)
        assert (size - 1, "against.root") in found(town, against=kept.encode())


def test_a_checkpoint_kept_elsewhere_that_is_no_older_one_of_ours_is_said_so(town):
    note = town.sql("SELECT note FROM checkpoint ORDER BY size LIMIT 1")[0][0].encode()
    stranger = Signer.from_seed(town.settings.origin, b"s" * 32)
    foreign = sign_checkpoint(Checkpoint(town.settings.origin, 1, b"r" * 32), [stranger])
    for wrong in (b"", b"checkpoint", note[:-2], note.replace(b"\n", b"\n\n", 1), foreign):
        assert found(town, against=wrong) == [(None, "against")]


def test_a_log_shorter_than_what_was_signed_is_found(town):
    kept = town.sql("SELECT note FROM checkpoint WHERE size = ?", SIZE)[0][0]
    with town.damaged(*EVERYTHING):
        town.sql('DELETE FROM entry WHERE "index" >= 257')
        town.sql("DELETE FROM batch WHERE size > 257")
        town.sql("UPDATE batch SET size = 257, root = ? WHERE size = (SELECT max(size) FROM batch)", _root(town))
        town.sql("DELETE FROM checkpoint WHERE size = ?", SIZE)
        remake(town, 257)
        assert sorted(what for _, what in found(town, against=kept.encode()) if what != "batch.recorded_at") == [
            "against.root",
            "last-signed.root",
        ]


def remake(world, size):
    """Remake the projections without the writer, who would refuse: as a forger must."""
    with world.another().engine.begin() as connection:
        projections.clear(connection)
        history._replay(connection, connection, size)


def _root(world):
    return recounting.tree_hash([leaf for (leaf,) in world.sql('SELECT leaf FROM entry ORDER BY "index"')])


def test_entries_that_contradict_each_other_are_reported_and_not_stumbled_over(town):
    """A station registered twice, by somebody who could hash everything anew: the replay cannot follow, the search can."""
    station = next(entry for entry in town.entries() if entry["kind"] == "station.registered")

    def again(entry):
        assert entry["kind"] == "policy.adopted"
        entry["kind"], entry["body"] = station["kind"], station["body"]

    with town.damaged(*EVERYTHING):
        rewrite(town, 100, again)
        faults = found(town)
    assert any(what == "replay" for _, what in faults)
    assert (SIZE - 1, "last-signed.root") in faults


# --- the report


def test_a_true_ledger_is_reported_with_its_size_and_root(town):
    told = []
    report = town.verify(progress=lambda done, total: told.append((done, total)))
    assert report.as_json() == {"ok": True, "size": SIZE, "root": recounting.b64(_root(town)), "faults": []}
    assert told[-1] == (SIZE, SIZE)
    assert town.verify(remake=False).as_json() == report.as_json()


def test_a_fault_is_reported_with_what_should_be_and_what_is(town):
    with town.damaged("service"):
        index = served_at(town)
        [(minutes,)] = town.sql("SELECT minutes FROM service WHERE entry_index = ?", index)
        town.sql("UPDATE service SET minutes = 999 WHERE entry_index = ?", index)
        assert town.verify().as_json()["faults"] == [
            {"index": index, "what": f"service[{index}].minutes", "expected": str(minutes), "found": "999"}
        ]
        assert town.verify(remake=False).ok


def test_an_empty_log_is_a_true_one(world):
    with world.damaged("entry", "batch", "policy"):
        for name in ("entry", "batch", "policy"):
            world.sql(f"DELETE FROM {name}")
        assert world.verify().as_json() == {"ok": True, "size": 0, "root": recounting.b64(recounting.tree_hash([])), "faults": []}


def test_nothing_is_changed_by_verifying(town):
    before = {name: town.sql(f"SELECT * FROM {name}") for name in EVERYTHING}
    town.verify()
    assert {name: town.sql(f"SELECT * FROM {name}") for name in EVERYTHING} == before


def test_without_the_second_store_nobody_says_that_all_is_well(town):
    town.settings.guard.rename(town.settings.home / "aside")
    with pytest.raises(SettingsError, match="last-signed"):
        town.verify()
    (town.settings.home / "aside").rename(town.settings.guard)
