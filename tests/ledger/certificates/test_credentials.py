"""A certificate as a Verifiable Credential: a verifier that others wrote accepts it, ours too; revoked shows; a change of key harms no old one."""

import base64
import dataclasses
import json
import zlib

import pytest
from certified import ADDRESS, certificate_of, serve_long
from credentialed import accepted_by_others, claims_of, credential_of, issuer_of, list_at, status_of
from joserfc import jws
from joserfc.jwk import OKPKey
from world import CENTRE, HOME

from ledger.certificates import credential_keys, credentials
from ledger.certificates.credentials import WAYS
from ledger.checking.certificates import canonical, decode_certificate, encode_certificate
from ledger.checking.credentials import BITS, encoded_list, judge_file, read_credential, verify_credential, verify_status
from ledger.checking.multikeys import public_key
from ledger.checking.securing import as_jwt, with_proof
from ledger.checking.trusting import Trust
from ledger.errors import InvalidRequest, LedgerError, NotFound, SettingsError
from ledger.settings import Settings
from ledger.signing import Signer, Verifier


@pytest.fixture
def street(world):
    world.station(CENTRE, "三联街道社会服务中心", level="centre")
    world.station(HOME, "三联社区社会服务站", parent=CENTRE)
    world.person = world.volunteer(name="欧阳文海")
    serve_long(world, world.person, 2)
    world.number = world.certify(world.person).number
    return world


def trust_of(world):
    return Trust([Verifier.from_vkey(vkey) for vkey in world.ledger.signing.vkeys])


def holds(world, raw, trust=None):
    """Tell whether our own offline check accepts a file."""
    try:
        return judge_file(raw, trust or trust_of(world)).report.ok
    except LedgerError:
        return False


@pytest.mark.parametrize("way", WAYS)
def test_a_verifier_that_others_wrote_accepts_it_until_it_is_revoked(street, way):
    raw = credential_of(street, street.number, way)
    assert accepted_by_others(street, raw) == ""
    assert holds(street, raw)
    street.revoke(street.number)
    assert "evoked" in accepted_by_others(street, raw)
    assert "evoked" in accepted_by_others(street, credential_of(street, street.number, way))
    changed = raw.replace("欧阳文海".encode(), "欧阳文江".encode()) if way == "json" else raw[:-20] + b"A" * 20
    assert "ignature" in accepted_by_others(street, changed)


def test_it_says_what_the_paper_says_and_nothing_else(street):
    said = claims_of(street, street.number)
    assert said["credentialSubject"] == certificate_of(street, street.number).document
    assert set(said) == {"@context", "id", "type", "name", "issuer", "validFrom", "credentialSubject", "credentialStatus", "proof"}
    assert said["issuer"]["name"] == "三联社区社会服务站"
    assert said["id"] == f"{ADDRESS}/check/{street.number}"
    assert said["proof"]["@context"] == said["@context"]
    whole = street.names[street.person][1]
    assert whole not in json.dumps(said)
    full = street.certify(street.person, full_id=True).number
    assert whole in json.dumps(claims_of(street, full)), "asked for on the paper, so here too"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # VC-JOSE-COSE's own examples still say EdDSA
def test_the_jwt_is_the_credential_itself_and_opens_with_another_jose_library_too(street):
    token = credential_of(street, street.number, "jwt").decode()
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "EdDSA", "typ": "vc+jwt", "kid": claims_of(street, street.number)["proof"]["verificationMethod"]}
    x = base64.urlsafe_b64encode(public_key(header["kid"].partition("#")[2])).decode().rstrip("=")
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    opened = json.loads(jws.deserialize_compact(token, key, algorithms=["EdDSA"]).payload)
    proved = {name: value for name, value in claims_of(street, street.number).items() if name != "proof"}
    assert opened == proved | {"iss": proved["issuer"]["id"]}


@pytest.mark.parametrize("way", WAYS)
def test_every_bit_of_it_counts(street, way):
    raw = credential_of(street, street.number, way)
    trust = trust_of(street)
    accepted = [
        (at, bit)
        for at in range(len(raw))
        for bit in range(8)
        if holds(street, raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :], trust)
    ]
    assert accepted == []


def test_only_a_key_that_the_log_vouches_for_is_believed(street):
    said = claims_of(street, street.number)
    unsigned = {name: value for name, value in said.items() if name != "proof"}
    forger = credential_keys.Key(Signer.from_seed("forger", b"f" * 32).key, said["issuer"]["id"])
    by_forger = canonical(with_proof(unsigned, forger, said["proof"]["created"]))
    assert [fault.what for fault in judge_file(by_forger, trust_of(street)).report.faults] == ["issuer.statement.key", "issuer.key"]
    assert not holds(street, as_jwt(unsigned, forger).encode())
    mine = credential_keys.keys(street.settings)[0]
    for change in ({"statement": "x"}, {"statement": street.sign() or ""}, {"id": "did:key:z6Mk"}, {"id": None}):
        other = unsigned | {"issuer": unsigned["issuer"] | change}
        assert not holds(street, canonical(with_proof(other, mine, said["proof"]["created"]))), change
    stranger = Trust([Verifier.from_vkey(Signer.from_seed(street.settings.origin, b"s" * 32).vkey)])
    assert not holds(street, canonical(said), stranger)
    elsewhere = unsigned["credentialSubject"] | {"origin": "elsewhere.cn/ledger"}
    moved = unsigned | {
        "credentialSubject": elsewhere,
        "@context": [unsigned["@context"][0], {"@vocab": "https://elsewhere.cn/ledger/terms#"}],
    }
    assert not holds(street, canonical(with_proof(moved, mine, said["proof"]["created"])))


def test_a_sum_that_is_not_its_lists_is_found_even_under_the_right_key(street):
    said = claims_of(street, street.number)
    unsigned = {name: value for name, value in said.items() if name != "proof"}
    wrong = unsigned | {"credentialSubject": unsigned["credentialSubject"] | {"minutes": 9_999}}
    made = canonical(with_proof(wrong, credential_keys.keys(street.settings)[0], said["proof"]["created"]))
    assert [fault.what for fault in judge_file(made, trust_of(street)).report.faults] == ["document.minutes"]


@pytest.mark.parametrize(
    "change",
    [
        {"type": ["VerifiableCredential"]},
        {"credentialSubject": {}},
        {"credentialSubject": []},
        {"credentialStatus": None},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "suspension", "statusListIndex": "1"}},
        {
            "credentialStatus": {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "01",
                "statusListCredential": "x",
            }
        },
        {"@context": ["https://www.w3.org/ns/credentials/v2"]},
    ],
)
def test_another_credential_is_no_certificate(street, change):
    said = {name: value for name, value in claims_of(street, street.number).items() if name != "proof"} | change
    with pytest.raises(InvalidRequest, match=r"志愿服务记录证明|撤销"):
        read_credential(as_jwt(said, credential_keys.keys(street.settings)[0]).encode())


# --- the status list


def test_a_status_list_tells_only_which_places_are_revoked(street):
    numbers = [street.number] + [street.certify(street.person).number for _ in range(3)]
    places = {number: int(claims_of(street, number)["credentialStatus"]["statusListIndex"]) for number in numbers}
    assert len(set(places.values())) == 4
    before = json.loads(status_of(street, street.number))
    assert before["credentialSubject"]["encodedList"] == encoded_list(())
    street.revoke(numbers[1])
    street.revoke(numbers[2])
    after = json.loads(status_of(street, street.number))
    packed = after["credentialSubject"]["encodedList"]
    bits = zlib.decompress(base64.urlsafe_b64decode(packed[1:] + "=" * (-len(packed[1:]) % 4)), wbits=31)
    assert packed[0] == "u"
    assert len(bits) * 8 == BITS == 131_072
    assert {place for place in range(BITS) if bits[place // 8] >> (7 - place % 8) & 1} == {places[numbers[1]], places[numbers[2]]}
    assert street.person not in json.dumps(after)
    assert not any(number in json.dumps(after) for number in numbers)


@pytest.mark.parametrize("way", WAYS)
def test_a_status_list_kept_in_a_file_shows_a_revocation_without_network(street, way):
    made = read_credential(credential_of(street, street.number, way))
    assert verify_status(made, status_of(street, street.number, way)).ok
    street.revoke(street.number)
    [fault] = verify_status(made, status_of(street, street.number, way)).faults
    assert (fault.what, fault.found) == ("certificate", f"已撤销（状态列表第 {made.place} 位）")


def test_a_status_list_of_somebody_else_is_not_believed(street):
    made, said = read_credential(credential_of(street, street.number)), json.loads(status_of(street, street.number))
    mine = credential_keys.keys(street.settings)[0]

    def judged(change, key=mine):
        unsigned = {name: value for name, value in said.items() if name != "proof"} | change
        return [fault.what for fault in verify_status(made, canonical(with_proof(unsigned, key, said["proof"]["created"]))).faults]

    other = credential_keys.Key(Signer.from_seed("other", b"f" * 32).key, mine.did)
    assert judged({}) == []
    assert judged({}, other) == ["status.key"]
    assert judged({"id": said["id"] + "0"}) == ["status.id"]
    assert judged({"issuer": {"id": "did:key:x"}}) == ["status.issuer"]
    assert judged({"type": ["VerifiableCredential"]}) == ["status.type"]
    subject = said["credentialSubject"]
    assert judged({"credentialSubject": subject | {"statusPurpose": "suspension"}}) == ["status.purpose"]
    huge = base64.urlsafe_b64encode(zlib.compress(b"\0" * 10_000_000, wbits=31)).decode().rstrip("=")
    for wrong in ("", "z", "uAAAA", "u" + huge, subject["encodedList"][:-8]):
        with pytest.raises(InvalidRequest, match="状态列表读不出来"):
            judged({"credentialSubject": subject | {"encodedList": wrong}})
    with pytest.raises(InvalidRequest, match="状态列表读不出来"):
        judged({"credentialSubject": None})


def test_there_is_no_list_before_there_is_a_certificate_and_none_of_another_key(world):
    with world.read() as tx:
        key = credential_keys.keys(world.settings)[0].multikey
        for named, number in ((key, 1), (key, 0), ("z6Mk", 1)):
            with pytest.raises(NotFound, match="没有这个状态列表"):
                credentials.status_list(tx, issuer_of(world), named, number, "json")


def test_a_certificate_of_an_erased_person_stays_in_its_list(street):
    listed = claims_of(street, street.number)["credentialStatus"]["statusListCredential"]
    street.revoke(street.number)
    street.sql("DELETE FROM certificate_paper")  # as erasing does
    with pytest.raises(NotFound, match="原文不再保存"):
        credential_of(street, street.number)
    assert json.loads(list_at(street, listed))["credentialSubject"]["encodedList"] != encoded_list(())


def test_a_list_is_half_full_at_most(street):
    street.sql(
        "INSERT INTO certificate_status WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
        " SELECT 'x' || n, 1, n FROM n WHERE n NOT IN (SELECT place FROM certificate_status) LIMIT ?",
        credentials.BITS - 1,
        credentials.LIST_FULL - 2,
    )
    numbers = [street.certify(street.person).number for _ in range(2)]
    lists = [claims_of(street, number)["credentialStatus"]["statusListCredential"][-2:] for number in (street.number, *numbers)]
    assert lists == ["/1", "/1", "/2"]


# --- keys


def test_after_a_change_of_key_old_credentials_hold_and_their_list_still_tells(street):
    old = [credential_of(street, street.number, way) for way in WAYS]
    before, after = credential_keys.keys(street.settings)[0], credential_keys.rotate(street.settings)
    assert before.multikey != after.multikey
    new = [credential_of(street, street.number, way) for way in WAYS]
    for raw in (*old, *new):
        assert holds(street, raw)
        assert accepted_by_others(street, raw) == ""
    assert {read_credential(raw).opened.key for raw in old} == {before.multikey}
    assert {read_credential(raw).opened.key for raw in new} == {after.multikey}
    street.revoke(street.number)
    assert all("evoked" in accepted_by_others(street, raw) for raw in (*old, *new))


def test_after_the_log_changed_its_key_old_credentials_hold_for_who_follows_the_change(street):
    first, raw = trust_of(street), credential_of(street, street.number)
    street.rotate()
    street.sign()
    street.finish_rotation(destroy=True)
    assert holds(street, raw, first)
    assert not holds(street, raw), "the new key alone did not sign that"
    with street.read() as tx:
        bodies = [(index, body) for index, body in enumerate(entry["body"] for entry in street.entries()) if "new_vkey" in body]
        everything = Trust(street.ledger.signing.keyring(tx.connection).verifiers)
    assert verify_credential(read_credential(raw), trust_of(street), bodies).ok
    assert holds(street, raw, everything)
    assert holds(street, credential_of(street, street.number))
    assert accepted_by_others(street, raw) == ""


def test_the_sites_name_may_be_the_issuer_and_its_document_names_every_key(street):
    street.settings = dataclasses.replace(street.settings, address=ADDRESS, credentials_by_web=True)
    old = credential_of(street, street.number)
    credential_keys.rotate(street.settings)
    for raw in (old, credential_of(street, street.number), credential_of(street, street.number, "jwt")):
        assert read_credential(raw).opened.did == "did:web:volunteer.example.gov.cn"
        assert accepted_by_others(street, raw) == ""
        assert holds(street, raw)
    with street.read() as tx:
        document = credentials.key_document(tx, issuer_of(street))
    keys = [key.multikey for key in credential_keys.keys(street.settings)]
    assert [method["publicKeyMultibase"] for method in document["verificationMethod"]] == keys
    assert document["assertionMethod"] == [f"did:web:volunteer.example.gov.cn#{key}" for key in keys]
    assert [trust_of(street).open_text(note.encode())[0] for note in document["statements"]] == [
        f"{street.settings.origin}/credential-key\nkey {key}\n" for key in keys
    ]


def test_the_issuer_is_set_right_or_not_at_all():
    web = {"SHOUWANG_CREDENTIALS": "did:web"}
    assert Settings.from_env(web | {"SHOUWANG_ADDRESS": ADDRESS}).credentials_by_web
    assert not Settings.from_env({}).credentials_by_web
    for wrong in (web, web | {"SHOUWANG_ADDRESS": "http://x.cn"}, {"SHOUWANG_CREDENTIALS": "did:ion"}):
        with pytest.raises(SettingsError, match="SHOUWANG_CREDENTIALS 应为 did:key 或 did:web"):
            Settings.from_env(wrong)
    assert credential_keys.web_did("https://v.example.cn:8443") == "did:web:v.example.cn%3A8443"


def test_without_its_key_there_is_a_sentence_that_says_what_to_do(street):
    key = street.settings.home / "keys" / "credentials-1.pem"
    assert key.stat().st_mode & 0o077 == 0
    key.rename(key.with_suffix(".away"))
    with pytest.raises(SettingsError, match="找不到可验证凭证的密钥"):
        credential_of(street, street.number)
    key.with_suffix(".away").rename(key)


def test_what_is_asked_in_no_way_there_is_is_refused(street):
    with pytest.raises(InvalidRequest, match="json 和 jwt"):
        credential_of(street, street.number, "cbor")


def test_the_pdfs_data_are_still_judged_as_before(street):
    raw = encode_certificate(certificate_of(street, street.number))
    judged = judge_file(raw, trust_of(street))
    assert (judged.report.ok, judged.credential) == (True, None)
    assert judged.document == decode_certificate(raw).document
