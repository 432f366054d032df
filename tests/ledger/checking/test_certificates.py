"""A certificate judged by itself: every flipped bit is refused, whatever it is in; what the paper's code says is signed; a revocation shows."""

import json
import time
import zlib
from base64 import urlsafe_b64encode

import pytest
from certified import ADDRESS, certificate_of, codes_on, pdf_of, serve_long
from world import CENTRE, HOME, World

from ledger.checking import certificates, pages
from ledger.checking.certificates import decode_certificate, encode_certificate, read_slip, verify_certificate, verify_slip
from ledger.checking.credentials import judge_file
from ledger.checking.trusting import Trust
from ledger.errors import InvalidRequest, LedgerError
from ledger.notes import NoteError, Signer, sign_note
from ledger.signing import Verifier


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    home = tmp_path_factory.mktemp("town")
    made = World(home, f"sqlite:///{home}/ledger.db")
    made.station(CENTRE, level="centre")
    made.station(HOME, parent=CENTRE)
    made.person = made.volunteer(name="张敏")
    serve_long(made, made.person, 3)
    made.issued = made.certify(made.person)
    yield made
    made.check()
    made.close()


@pytest.fixture
def trust(town):
    return Trust([town.ledger.signing.verifier()])


def judge(raw, trust):
    """Tell whether a file is accepted."""
    try:
        return judge_file(raw, trust).report.ok
    except LedgerError:
        return False


def test_a_true_file_is_accepted_and_so_is_the_pdf_that_carries_it(town, trust):
    raw = encode_certificate(certificate_of(town, town.issued.number))
    assert judge(raw, trust)
    assert judge(pdf_of(town, town.issued.number), trust)
    assert json.loads(raw)["document"]["number"] == town.issued.number


def test_every_bit_of_the_file_counts(town, trust):
    raw = encode_certificate(certificate_of(town, town.issued.number))
    accepted = [
        (at, bit) for at in range(len(raw)) for bit in range(8) if judge(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :], trust)
    ]
    assert accepted == []


def test_every_bit_of_the_pdf_counts_too(town, trust):
    """All bits of the line that is signed and of the file's end, and one of every 97 elsewhere: the pages are most of it."""
    pdf = pdf_of(town, town.issued.number)
    signed = pdf.index(b"%shouwang-pages ")
    places = [*range(0, signed, 97), *range(signed, len(pdf))]
    accepted = [at for at in places if judge(pdf[:at] + bytes([pdf[at] ^ 1 << at % 8]) + pdf[at + 1 :], trust)]
    assert accepted == []


def test_pages_that_were_painted_anew_saved_anew_or_lost_their_line_are_told_apart_from_the_data(town, trust):
    pdf = pdf_of(town, town.issued.number)
    at = pdf.index(b"%shouwang-pages ")
    without = pdf[:at] + pdf[pdf.index(b"\n", at) + 1 :]
    other = pdf_of(town, town.certify(town.person).number)
    theirs = other.index(b"%shouwang-pages ")
    borrowed = pdf[:at] + other[theirs : other.index(b"\n", theirs) + 1] + pdf[pdf.index(b"\n", at) + 1 :]
    later = pdf + b"\n9 0 obj\nendobj\nstartxref\n1\n%%EOF\n"
    stranger = Signer.from_seed(town.settings.origin, b"s" * 32)
    forged = pages.sealed(without, town.settings.origin, town.issued.number, lambda text: sign_note(text, [stranger]))
    for wrong in (without, borrowed, later, forged, pdf.replace(b"/Type", b"/type", 1)):
        assert {fault.what for fault in judge_file(wrong, trust).report.faults} == {"pages"}
    resealed = pages.sealed(without, town.settings.origin, town.issued.number, sign(town))
    assert judge(resealed, trust), "the line is all that tells"


def sign(town):
    def signed(text):
        with town.read() as tx:
            return town.ledger.signing.sign_text(tx.connection, text)

    return signed


def test_what_was_cut_off_added_or_written_anew_is_refused(town, trust):
    raw = encode_certificate(certificate_of(town, town.issued.number))
    for wrong in (b"", raw[:-1], raw + b" ", b" " + raw, b"[]", b"null", b"{}", raw.replace(b'":', b'": ', 1), b"%PDF-1.7 nothing"):
        with pytest.raises(InvalidRequest):
            decode_certificate(wrong)
    said = json.loads(raw)
    for change in (
        {"minutes": 9_999},
        {"name": "李建国"},
        {"items": said["document"]["items"][:2]},
        {"salt": "A" * 43 + "="},
        {"code": "2" * 12},
    ):
        assert not judge(certificates.canonical(said | {"document": said["document"] | change}), trust), change
    for name in said["document"]:
        rest = {key: value for key, value in said["document"].items() if key != name}
        assert not judge(certificates.canonical(said | {"document": rest}), trust), name
    other = Trust([Verifier.from_vkey(Signer.from_seed(town.settings.origin, b"s" * 32).vkey)])
    assert not judge(raw, other)


def test_a_true_document_with_anothers_proof_is_refused(town, trust):
    first, second = (json.loads(encode_certificate(certificate_of(town, town.certify(town.person).number))) for _ in range(2))
    assert judge(certificates.canonical(first), trust)
    assert not judge(certificates.canonical(first | {"bundle": second["bundle"]}), trust)
    assert not judge(certificates.canonical(first | {"slip": second["slip"]}), trust)


def test_the_code_on_the_paper_holds_what_the_log_signed(town, trust):
    [text] = codes_on(pdf_of(town, town.issued.number))
    assert text.startswith(f"{ADDRESS}/check/{town.issued.code}#")
    said = verify_slip(read_slip(text), trust)
    document = certificate_of(town, town.issued.number).document
    assert (said.number, said.name, said.volunteer, said.minutes) == (town.issued.number, "张敏", town.person, document["minutes"])
    assert (said.issued_on, said.document, said.period_from) == (document["issued_on"], certificates.paper_digest(document), None)


def test_every_bit_of_the_code_counts(town, trust):
    slip = certificate_of(town, town.issued.number).slip
    for at in range(len(slip)):
        for bit in range(8):
            wrong = slip[:at] + bytes([slip[at] ^ 1 << bit]) + slip[at + 1 :]
            with pytest.raises(LedgerError):
                verify_slip(read_slip("#" + urlsafe_b64encode(wrong).decode().rstrip("=")), trust)


def test_what_is_no_code_of_ours_is_refused(trust):
    for wrong in ("", "#", "https://example.org/", "#!!!!", "#" + "A" * 99):
        with pytest.raises(InvalidRequest):
            read_slip(wrong)


def test_a_slip_of_another_log_under_this_ones_key_is_refused(town, trust):
    document = certificate_of(town, town.issued.number).document | {"origin": "elsewhere.example"}
    signed = town.write(lambda tx: town.ledger.signing.sign_text(tx.connection, certificates.slip_text(document)))
    with pytest.raises(InvalidRequest, match="不是摘要上写的账本"):
        verify_slip(signed, trust)
    stranger = Signer.from_seed(town.settings.origin, b"s" * 32)
    with pytest.raises(NoteError):
        verify_slip(sign_note(certificates.slip_text(document), [stranger]), trust)


def test_a_file_taken_after_the_revocation_says_so(town, trust):
    number = town.certify(town.person).number
    before = encode_certificate(certificate_of(town, number))
    town.revoke(number, "依据的记录登记有误")
    town.sign()
    after = certificate_of(town, number)
    report = verify_certificate(after, trust)
    assert [(fault.what, fault.found) for fault in report.faults] == [("certificate", f"已撤销（{town.today}）：依据的记录登记有误")]
    assert judge(before, trust), "what was signed before cannot know"
    for part in ({"records": []}, {"records": [certificates.bundles.as_json(after.bundle)["records"][1]]}):
        said = json.loads(encode_certificate(after))
        assert not judge(certificates.canonical(said | {"bundle": said["bundle"] | part}), trust)


def test_a_changed_key_is_followed_from_any_that_is_trusted(tmp_path):
    town = World(tmp_path, f"sqlite:///{tmp_path}/ledger.db")
    town.station(HOME)
    person = town.volunteer()
    serve_long(town, person, 1)
    older = town.certify(person).number
    first = town.ledger.signing.verifier()
    town.rotate()
    town.sign()
    newer = town.certify(person).number
    town.finish_rotation()
    latest = town.certify(person).number
    for key in (first, town.ledger.signing.verifier()):
        for number in (older, newer, latest):
            assert verify_certificate(certificate_of(town, number), Trust([key])).ok
    town.check()
    town.close()


def test_a_file_made_to_keep_us_busy_is_refused_at_once(town):
    raw = encode_certificate(certificate_of(town, town.issued.number))
    said = json.loads(raw)
    many = said["bundle"] | {"records": said["bundle"]["records"] * 3}
    bombs = [
        certificates.canonical(said | {"bundle": many}),
        b"%PDF-1.7\n" + b"/Type/EmbeddedFile >>" * 400_000,
        b"%PDF-1.7\n/EmbeddedFile /FlateDecode >>\nstream\n" + zlib.compress(b"0" * 50_000_000) + b"\nendstream",
        b"[" * 100_000,
        b" " * (certificates.FILE_BYTES_MAX + 1),
    ]
    pdf = pdf_of(town, town.issued.number)
    bombs.append(pdf + pdf[pdf.index(b"%PDF") + 9 :])
    for bomb in bombs:
        began = time.process_time()
        with pytest.raises(InvalidRequest):
            decode_certificate(bomb)
        assert time.process_time() - began < 5
