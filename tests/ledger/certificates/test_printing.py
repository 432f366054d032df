"""The paper: one record, sixty, six hundred; what it prints can be read out again, its fonts are in it, and rare characters are spoken of."""

import re

import pytest
from certified import ADDRESS, attachments_of, certificate_of, codes_on, pages_of, pdf_of, serve_long
from world import CENTRE, HOME

from ledger import typesetting
from ledger.checking.certificates import encode_certificate
from ledger.ids import spaced, spaced_code


@pytest.fixture(params=["sqlite"])
def founded_url(request, tmp_path):
    """No question here is the database's."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def street(world):
    world.station(CENTRE, "三联街道社会服务中心", level="centre")
    world.station(HOME, "三联社区社会服务站", parent=CENTRE)
    return world


def plain(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(("records", "least"), [(1, 1), (5, 1), (8, 2), (60, 3), (600, 15)])
def test_a_certificate_of_any_length_says_everything_on_numbered_pages(street, records, least):
    person = street.volunteer(name="欧阳文海")
    serve_long(street, person, records)
    issued = street.certify(person)
    pdf, pages = pdf_of(street, issued.number), None
    pages = [plain(text) for text in pages_of(pdf)]
    assert len(pages) == least if least < 3 else len(pages) >= least, "the foot stands on the first page, whatever the list"
    document = certificate_of(street, issued.number).document
    for number, text in enumerate(pages, 1):
        assert f"编号{issued.number}" in text
        assert f"校验码{spaced_code(issued.code)}" in text
        assert f"第{number}页，共{len(pages)}页" in text
    said = (
        "志愿服务记录证明",
        "兹证明欧阳文海",
        spaced(person),
        f"志愿服务{records}次",
        "三联社区社会服务站",
        f"{ADDRESS}/check/",
        "本人自助办理",
    )
    assert [word for word in said if word not in pages[0]] == []
    everything = "".join(pages)
    for item in document["items"]:
        assert plain(f"{item['served_on']}09:00–10:30{item['activity'][:4]}") in everything
    hours, minutes = divmod(document["minutes"], 60)
    assert (f"{hours}小时{minutes}分" if hours and minutes else f"{hours}小时" if hours else f"{minutes}分") in pages[0]
    assert len(codes_on(pdf)) == 1


def test_it_is_an_archive_file_with_its_fonts_and_its_data_inside(street):
    person = street.volunteer()
    serve_long(street, person, 2)
    number = street.certify(person).number
    pdf = pdf_of(street, number)
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert attachments_of(pdf) == {"certificate.json": encode_certificate(certificate_of(street, number))}
    assert pdf == pdf_of(street, number), "the same file on every machine, at any time"


def test_one_that_was_revoked_says_so_right_across(street):
    person = street.volunteer()
    serve_long(street, person, 2)
    number = street.certify(person).number
    assert "已撤销2025" not in plain(pages_of(pdf_of(street, number))[0])
    assert "已撤销2025年3月1日" in plain(pages_of(pdf_of(street, number, revoked_on="2025-03-01"))[0])


def test_what_is_said_is_never_markup(street):
    person = street.volunteer(name="#panic(x)*_$")
    street.serve(person, "2025-01-02 09:00", "10:00", settled=True, activity=street.activity(title='#include "x" $ \\ *粗* <a> @b'))
    text = plain(pages_of(pdf_of(street, street.certify(person).number))[0])
    assert "#panic(x)*_$" in text
    assert '#include"x"$\\*粗*<a>@b' in text


def test_rare_characters_are_printed_where_there_is_a_glyph_and_named_where_there_is_none(street):
    assert typesetting.missing(["䶮㼆", "𬱖𫖯", "张·敏 A1"]) == []
    assert typesetting.missing(["𠮷田", "𰻞𠮷"]) == ["𠮷", "𰻞"]
    person = street.volunteer(name="王𠮷䶮")
    serve_long(street, person, 1)
    number = street.certify(person).number
    text = plain(pages_of(pdf_of(street, number))[0])
    assert "兹证明王〓䶮" in text
    assert "字库缺〓（U+20BB7），印作「〓」，由开具单位手写补上" in text
    assert certificate_of(street, number).document["name"] == "王𠮷䶮"


def test_an_id_number_in_full_is_printed_for_who_asked_for_it(street):
    person = street.volunteer()
    serve_long(street, person, 1)
    whole = street.names[person][1]
    masked, full = (pages_of(pdf_of(street, street.certify(person, full_id=asked).number))[0] for asked in (False, True))
    assert whole not in plain(masked)
    assert whole in plain(full)
