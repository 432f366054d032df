"""An appraisal is scored by weights that two officials adopt; each paper by those of its period's last day, and years that are over keep theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from town import EAST, OFFICIAL, ZHAO

from ledger import organisations
from ledger.checking.verifying import verify
from ledger.duties import lists, papers, weights
from ledger.duties.forms import shipped
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.log import tree_head
from ledger.people.actors import Actor
from ledger.rules import adopting

SECOND = Actor("zhou", "official")
FORM = shipped()["performance"]
OWN = {"role": 60, "party": 10, "standard": 10, "residents": 20}
AS_TYPED = {name: str(percent) for name, percent in OWN.items()}
DOCUMENT = "区民政局第 3 次办公会"


def proposed(town, said=AS_TYPED, day="2026-06-01", by=OFFICIAL, form="performance", document=DOCUMENT):
    return town.write(lambda tx: weights.propose(tx, form, said, day, document), by)


def percents(town, period):
    return town.read(lambda tx: weights.of_paper(tx.connection, FORM, period).percents)


def test_two_officials_adopt_weights_and_the_entry_names_both(town):
    proposal = proposed(town)
    with pytest.raises(NotAllowed, match="这组权重是您提出的"):
        town.write(lambda tx: weights.confirm(tx, proposal), OFFICIAL)
    receipt = town.write(lambda tx: weights.confirm(tx, proposal), SECOND)
    newest, shipped_ones = town.read(lambda tx: weights.history(tx.connection, FORM))
    assert (newest.percents, newest.entry_index, newest.proposed_by) == (OWN, receipt.index, OFFICIAL.account)
    assert (shipped_ones.percents["role"], shipped_ones.entry_index) == (50, None)
    with pytest.raises(NotFound, match="已经确认或退回了"):
        town.write(lambda tx: weights.confirm(tx, proposal), SECOND)
    assert verify(town.ledger).ok


def test_a_paper_is_scored_by_the_weights_of_its_periods_last_day(town):
    before = percents(town, "2025")
    proposal = proposed(town)
    town.write(lambda tx: weights.confirm(tx, proposal), SECOND)
    assert (percents(town, "2025"), percents(town, "2026"), percents(town, "2027")) == (before, OWN, OWN)
    said = {"role": 90, "party": 80, "standard": 70, "residents": 60}
    shown = [dict(town.read(lambda tx, year=year: lists.derived(tx, FORM, year, said)))["总分"] for year in ("2025", "2026")]
    assert shown == [
        "79.50（发挥作用 50%、党的建设 15%、规范化程度 15%、居民评价 20%）",
        "81.00（发挥作用 60%、党的建设 10%、规范化程度 10%、居民评价 20%）",
    ]


def test_what_waits_is_one_at_a_time_and_may_be_taken_back(town):
    proposal = proposed(town)
    [waiting] = town.read(lambda tx: weights.waiting(tx, SECOND))
    assert (waiting.form, waiting.percents, waiting.effective_on, waiting.document, waiting.own) == (
        FORM,
        OWN,
        "2026-06-01",
        DOCUMENT,
        False,
    )
    assert town.read(lambda tx: adopting.proposals(tx, SECOND)) == [], "it is no rule of credit"
    with pytest.raises(Conflict, match="已有一组权重在等"):
        proposed(town)
    town.write(lambda tx: weights.PROPOSALS.decline(tx, proposal), OFFICIAL)
    assert town.read(lambda tx: weights.waiting(tx, OFFICIAL)) == []
    assert proposed(town)


@pytest.mark.parametrize(
    ("said", "refusal", "sentence"),
    [
        ({"by": ZHAO}, NotAllowed, "没有这项权限"),
        ({"form": "station-report"}, NotFound, "没有这种评估"),
        ({"form": "?"}, NotFound, "没有这种评估"),
        ({"day": "2025-12-31"}, InvalidRequest, "不早于 2026-01-01"),
        ({"day": "明天"}, InvalidRequest, "从哪一天起"),
        ({"document": " "}, InvalidRequest, "写明依据"),
        ({"document": "问 13812345678"}, InvalidRequest, "写明依据"),
        ({"said": AS_TYPED | {"role": "61"}}, InvalidRequest, "现在是 101，多了 1"),
        ({"said": AS_TYPED | {"role": "0"}}, InvalidRequest, "现在是 40，少了 60"),
        ({"said": AS_TYPED | {"role": "六十"}}, InvalidRequest, "「发挥作用」的权重应是"),
        ({"said": AS_TYPED | {"role": "-60"}}, InvalidRequest, "「发挥作用」的权重应是"),
        ({"said": {}}, InvalidRequest, "「发挥作用」的权重应是"),
        ({"said": {"role": "50", "party": "15%", "standard": "15", "residents": "20"}}, Conflict, "不用改"),
    ],
)
def test_weights_that_make_no_sense_are_refused_in_words(town, said, refusal, sentence):
    size = town.read(lambda tx: tree_head(tx.connection).size)
    with pytest.raises(refusal, match=sentence):
        proposed(town, **said)
    assert town.read(lambda tx: (weights.waiting(tx, OFFICIAL), tree_head(tx.connection).size)) == ([], size)


def test_a_day_has_one_set_of_weights(town):
    proposal = proposed(town)
    town.write(lambda tx: weights.confirm(tx, proposal), SECOND)
    with pytest.raises(Conflict, match="从 2026-06-01 起已有一组权重"):
        proposed(town, AS_TYPED | {"role": "70", "residents": "10"})


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.lists(st.integers(0, 100), min_size=3, max_size=3))
def test_a_score_is_the_weighted_mean_and_lies_among_its_parts(marks, cuts):
    first, second, third = sorted(cuts)
    shares = dict(zip(OWN, (first, second - first, third - second, 100 - third), strict=True))
    said = dict(zip(OWN, marks, strict=True))
    found = weights.score(shares, said)
    assert min(marks) * 100 <= found <= max(marks) * 100
    assert weights.score({name: 100 if name == "role" else 0 for name in OWN}, said) == said["role"] * 100
    assert weights.score({}, said) is None


def test_what_comes_along_makes_a_hundred():
    assert [form.id for form in weights.weighed()] == ["performance"]
    assert all(sum(field.weight for field in form.fields) == weights.WHOLE for form in weights.weighed())


def test_a_handed_in_appraisal_shows_its_score(town):
    team = town.read(lambda tx: organisations.at_stations(tx.connection, [EAST]))[0].id
    said = {"role": "90", "party": "80", "standard": "70", "residents": "60", "opinion": "好"}
    receipt = town.write(lambda tx: papers.hand_in(tx, "performance", EAST, "2025", said, organisation=team))
    report = town.read(lambda tx: lists.printed(tx, FORM, papers.get(tx, receipt.index)))
    assert ("总分", "79.50（发挥作用 50%、党的建设 15%、规范化程度 15%、居民评价 20%）") in report.rows
