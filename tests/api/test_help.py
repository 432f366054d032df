"""Every page that a person opens says what it is for: each has its entry of help."""

from api.auth import allowed_roles, required_scope
from api.help_texts import HELP

NO_PAGES = {
    *("static", "credit.entry", "credit.picture", "my_data.download", "second_factor.picture", "sheets.template", "sheets.problems"),
    *("certificates.data", "certificates.paper", "certificates.credential", "credentials.status", "credentials.keys", "check.offline"),
    *("rules.file", "rules.example"),
    *("honours.proof", "selections.download"),
    *("annual_reports.file", "indicators.file", "indicator_sets.file", "open_data.file", "stations.file"),
    *("duties.paper_file", "duties.filing_ledger"),
    "filings.copies",
    *("activities.feed", "log.checkpoint", "log.vkey", "log.tile", "log.bundle", "log.proof"),  # files, pictures, what programs read
    *("home.home", "check_in.scanned", "oidc.start", "oidc.callback", "api.problem"),  # they lead on to another
    "guide.page",  # the help itself
}
"""What a GET answers with something else than a page."""


def pages(app):
    """The endpoints of pages: what a GET shows, outside the API of programs."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.rule.startswith("/api/v1/")]
    return {rule.endpoint for rule in rules} - NO_PAGES


def test_every_page_has_its_help(world):
    assert sorted(pages(world.app) ^ HELP.keys()) == []


def test_what_is_called_no_page_is_there_and_sends_none(world, person):
    known = {rule.endpoint for rule in world.app.url_map.iter_rules()}
    assert known >= NO_PAGES
    visitors = [world.visitor(), world.visitor("recorder"), world.visitor(person.number, person.password)]
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in NO_PAGES - {"guide.page"} and not rule.arguments and "GET" in rule.methods:
            for visitor in visitors:
                answer = visitor.get(rule.rule)
                assert answer.status_code != 200 or not answer.content_type.startswith("text/html"), rule.rule


def test_help_names_who_may_open_a_page_and_links_to_those_with_one_address(world):
    page = world.visitor().get("/help").text
    for endpoint, one in HELP.items():
        assert one.sentence in page, endpoint
        view = world.app.view_functions[endpoint]
        assert allowed_roles(view)
        assert not required_scope(view)
    assert 'href="/signatures/"' in page
    assert ">签到签退<" in page.replace("</a>", "<"), "a page of one thing stands there without a link"
