"""What the addresses of the application name: so that tests can ask for every one of them, and fail for one that nobody thought of."""

import uuid

NAMED = {
    "index": "index",
    "batch": "batch",
    "upload": "upload",
    "number": "number",
    "matter": "matter",
    "asked": "asked",
    "row": "row",
    "token": "token",
    "session_id": "session_id",
    "draft": "draft",
    "plan": "plan",
    "account": "account",
    "evidence_id": "evidence",
    "certificate": "certificate",
    "selection": "selection",
    "service": "index",
    "filing": "filing",
    "handover": "handover",
    "task": "task",
    "announced": "announced",
    ("filing_drafts", "draft"): "filing_draft",
    ("activities", "number"): "event",
    ("check_in", "number"): "event",
    ("coming", "number"): "event",
    ("evaluations", "number"): "event",
    ("organisations", "number"): "organisation",
    ("omissions", "index"): "omission",
    ("duties", "index"): "paper",
    ("spot_checks", "index"): "spot_check",
    ("proposals", "number"): "disowner",
    ("webhooks", "number"): "hook",
    ("api_webhooks", "number"): "hook",
    ("api_activities", "number"): "activity",
    ("api_organisations", "number"): "organisation",
}
"""What an argument of an address names: an attribute of `objects`; by blueprint where one word means several things."""
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
WORDS = {"act": "change", "answer": "accept", "what": "disable", "verdict": "decline", "job": "rates", "duty": "station-report"}
"""Which word to take for arguments that are words of a list; the first where nothing is said."""
OPEN = {
    "static",
    "log.tile",
    "log.bundle",
    "log.proof",
    "api.problem",
    "api_stations.one",
    "api_calendars.one",
    "entries.one",
    "entries.proof",
}
OPEN |= {"publicity.station", "activities.feed", "check_in.scanned", "check_in.here", "check_in.check"}
OPEN |= {"rules.file", "rules.example", "rules.decide"}
OPEN |= {"indicator_sets.file", "indicator_sets.decide", "open_data.file", "appraisals.propose", "appraisals.decide"}
OPEN |= {"organisations.one"}
OPEN |= {"honours.one", "honours.proof", "honours.contest"}
OPEN |= {"api_credentials.status_list"}
OPEN |= {"check.one", "check.person", "publicity.certificates", "credentials.status", "annual_reports.file"}
OPEN |= {"spot_checks.one", "spot_checks.announced"}
"""Addresses of what belongs to no station: files, the log itself, public lists, a calendar's secret address; volunteers check in anywhere."""
DISTRICT = {"accounts", "rights"}
"""Blueprints of administrators, who belong to no station."""
UNKNOWN = {"index": 999_999, "omission": 999_999, "paper": 999_999, "spot_check": 999_999, "announced": 999_999, "session_id": "0" * 16}
NO_UUID = str(uuid.uuid4())
BY_UUID = ("batch", "upload", "matter", "asked", "row", "draft", "filing_draft", "evidence")
ELSE = {"filename": "shouwang.css", "rest": "000", "code": "overlap", "said": "x" * 20}
"""What stands for the rest of an address that names nothing of a station's."""


def words(rule, name):
    """The words that an argument may be, if it is one of a list and names no thing."""
    listed = sorted(getattr(rule._converters[name], "items", ()))
    return listed or ([WORDS[name]] if name in WORDS else [])


def meant(rule):
    """What the arguments of an address name, by argument; what is only a word is left out."""
    blueprint = rule.endpoint.partition(".")[0]
    things = {name for name in rule.arguments if not words(rule, name)}
    return {name: NAMED.get((blueprint, name)) or NAMED.get(name) for name in things}


def addresses(app):
    """Every address that names something of a station's: its rule and each method."""
    for rule in app.url_map.iter_rules():
        if meant(rule) and rule.endpoint not in OPEN and rule.endpoint.partition(".")[0] not in DISTRICT:
            for method in sorted(rule.methods & METHODS):
                yield rule, method


def posts(app, *, api):
    """Every address that takes a POST, of the API or of the pages: endpoint and path, naming nothing that is there."""
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods and rule.rule.startswith("/api/v1/") == api]
    return [(rule.endpoint, build(app, rule)) for rule in rules]


def nothing(kind):
    """A name of the kind that names nothing."""
    return UNKNOWN.get(kind) or (NO_UUID if kind in BY_UUID else "2222222222")


def build(app, rule, objects=None):
    """An address with the true objects, or with some that are not there."""
    said = {}
    for name, kind in meant(rule).items():
        if kind is None:
            said[name] = ELSE.get(name, "2222222222")
            continue
        unknown = nothing(kind)
        said[name] = getattr(objects, kind) if objects else unknown
    listed = {name: words(rule, name) for name in rule.arguments if words(rule, name)}
    chosen = {name: WORDS[name] if WORDS.get(name) in found else found[0] for name, found in listed.items()}
    return app.url_map.bind("localhost").build(rule.endpoint, said | chosen)
