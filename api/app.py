"""
The web application over one ledger: `create_app` puts the parts together; nothing here is global.

Pages work without script: the content security policy allows none, nor anything from elsewhere.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.routing import Rule

from api import auth, errors, help_texts, hosts, limits, oidc, request_log, v1, wording
from api.kept import Kept
from api.pages import accounts as account_pages
from api.pages import (
    activities,
    annual_reports,
    appraisals,
    approvals,
    batches,
    calendar,
    certificates,
    check,
    check_in,
    clockwork,
    coming,
    credentials,
    credit,
    desk_certificates,
    duties,
    erasures,
    evaluations,
    filing_drafts,
    filings,
    guide,
    handovers,
    helping,
    home,
    honours,
    indicator_sets,
    indicators,
    log,
    logging,
    my_data,
    notices,
    objections,
    omissions,
    open_data,
    organisations,
    parked,
    personal,
    proposals,
    publicity,
    receipts,
    record,
    record_desk,
    recorders,
    records,
    registering,
    registration,
    requirements,
    reveals,
    rights,
    rules,
    second_factor,
    security,
    selections,
    sheets,
    sign_in,
    signatures,
    spot_checks,
    stations,
    tasks,
    trainings,
    unit_tree,
    volunteer_acts,
    volunteers,
    webhooks,
)
from api.pages import oidc as oidc_pages
from api.pages import tokens as token_pages
from api.uploads import Uploads
from ledger.people.accounts import Accounts
from ledger.people.key_files import read_key
from ledger.people.second_factors import SecondFactors
from ledger.people.sessions import VOLUNTEER_LIFETIME
from ledger.people.tokens import Tokens
from ledger.store import Ledger

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UPLOAD_BYTES_MAX = 20 * 1024 * 1024
SESSION_LIFETIME = VOLUNTEER_LIFETIME
"""How long a cookie may be; the session behind it may end before (ledger/people/sessions.py)."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PAGES = (
    *(home, sign_in, second_factor, oidc_pages, security, token_pages, account_pages, rights),
    *(sheets, logging, batches, approvals, parked, records, credit, stations, volunteers, webhooks, log),
    *(my_data, personal, erasures, reveals, handovers, notices, helping, guide),
    *(registering, volunteer_acts, proposals, registration),
    *(objections, omissions, signatures, recorders, publicity, calendar, receipts),
    *(activities, coming, check_in),
    *(certificates, desk_certificates, check, credentials),
    rules,
    *(record, record_desk, trainings, evaluations, organisations),
    *(selections, honours),
    *(indicators, indicator_sets, clockwork, duties, appraisals, tasks, requirements, unit_tree, open_data),
    *(annual_reports, spot_checks),
    *(filings, filing_drafts),
)


class _Rule(Rule):
    """A rule whose addresses are spelt by code that is made when the first is wanted: for all rules at once it takes half of an application's start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 the signature is Werkzeug's
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super(_Rule, self)._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build


class _Application(Flask):
    """Flask without views that are coroutines: to ask of each hook at each request whether it is one takes a twentieth of it."""

    url_rule_class = _Rule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take a view or hook as it is."""
        return func


def create_app(
    ledger: Ledger, *, accounts: Accounts | None = None, secure_cookies: bool = False, provider: oidc.Provider | None = None
) -> Flask:
    """Make the application. *secure_cookies*: people reach it by HTTPS alone, so cookies never travel otherwise; plain HTTP is for 127.0.0.1.

    *provider*: an identity provider by which accounts linked to it may sign in as well.
    """
    app = _Application(__name__)
    app.config.update(
        SECRET_KEY=read_key(ledger.settings.session_key),
        SESSION_COOKIE_NAME="__Host-shouwang" if secure_cookies else "shouwang",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure_cookies,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        MAX_CONTENT_LENGTH=UPLOAD_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # a form is good for as long as its session
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["shouwang"] = auth.Parts(ledger, accounts or Accounts(ledger), Tokens(ledger), SecondFactors(ledger))
    app.extensions["uploads"] = Uploads(ledger)
    app.extensions["oidc"] = provider
    app.extensions["kept"] = Kept()
    errors.init_app(app)
    request_log.init_app(app)
    hosts.init_app(app)
    csrf = CSRFProtect(app)
    limits.init_app(app, auth.init_app, by_address=ledger.settings.address_requests, by_token=ledger.settings.token_requests)
    wording.init_app(app)
    app.jinja_env.globals["HELP"] = help_texts.HELP
    app.jinja_env.globals["unread_notices"] = notices.unread
    for module in _PAGES:
        app.register_blueprint(module.blueprint)
    v1.init_app(app, csrf)
    auth.open_to_all(app.view_functions["static"])
    app.wsgi_app = _Hardened(app.wsgi_app, https=secure_cookies)  # type: ignore[method-assign]  # as Flask's documentation has it
    return app


class _Hardened:
    """Puts the headers that every answer has beside those it has of its own: around the application, where nothing can be left out, and cheaply."""

    def __init__(self, inner: "WSGIApplication", *, https: bool) -> None:
        self._inner = inner
        said = HEADERS | ({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if https else {})
        self._pages = [*said.items(), ("Cache-Control", "no-store")]
        self._static = list(said.items())
        self._answers = [*self._pages, ("Content-Disposition", 'attachment; filename="api.json"')]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer."""
        path = environ.get("PATH_INFO", "")
        more = self._answers if errors.for_programs(path) else self._static if path.startswith("/static/") else self._pages

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            own = {name.lower() for name, _ in headers}
            return start_response(status, [*headers, *(one for one in more if one[0].lower() not in own)], exc_info)

        return self._inner(environ, start)
