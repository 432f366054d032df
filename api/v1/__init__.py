"""The HTTP API, version 1: a blueprint a noun, described by OpenAPI 3.1, for programs with a token (see api.auth)."""

from functools import cache
from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask
from flask_smorest.utils import prepare_response
from flask_wtf import CSRFProtect

from api import problems
from api.v1 import (
    activities,
    calendars,
    certificates,
    credentials,
    credit_records,
    entries,
    fields,
    indicators,
    jobs,
    matters,
    objections,
    organisations,
    parked,
    proofs,
    rates,
    schemas,
    selection_schemas,
    selection_steps,
    selections,
    service_changes,
    service_reads,
    service_records,
    specification,
    spot_checks,
    stations,
    volunteers,
    webhooks,
)
from api.v1.lists import Cursor

_NOUNS = (
    *(service_records, objections, activities, volunteers, credit_records, certificates, credentials, matters, parked),
    *(organisations, stations, calendars, rates, indicators, spot_checks, selections, webhooks, jobs, entries, proofs),
)
_MORE = (service_reads, service_changes, selection_steps)
"""They put views on the blueprints of service_records and selections."""
_FIELDS = (
    *(
        (kind, "string", None)
        for kind in (fields.Code, Cursor, fields.Text, fields.Choice, fields.IdNumber, fields.PersonName, fields.Phone)
    ),
    (fields.Minute, "string", "date-time"),
    (fields.Day, "string", "date"),
    (fields.Whole, "integer", None),
    (fields.Flag, "boolean", None),
    (fields.Drafts, "array", None),
    (fields.Several, "array", None),
    (selection_schemas.RuleFile, "object", None),
)
_ABOUT = """志愿服务系统与账本之间的接口。登记以回执为准：回执在手，账本里就一定有这一条，任何人都可以核对。
时间用 RFC 3339，分钟和条数都是整数；出错时答 application/problem+json（RFC 9457）。"""


class Api(flask_smorest.Api):
    """Describes our API. Errors are answered by api.errors, and the description is served by specification."""

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        for name, text in [*((status.name, status.phrase) for status in HTTPStatus), ("DEFAULT_ERROR", "出错时的答复")]:
            response = {"description": text, "schema": schemas.Problem}
            prepare_response(response, self.spec, problems.CONTENT_TYPE)
            self.spec.components.response(name, response, lazy=True)

    def _register_pagination_header(self) -> None:
        pass


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Put the API into an application. Its views look at no cookie, so no form's token protects them."""
    for noun in _NOUNS:
        csrf.exempt(noun.blueprint)
        app.register_blueprint(noun.blueprint)
    specification.init_app(app, described)


@cache
def described() -> dict[str, Any]:
    """Describe the API, in an application that is for that alone: when somebody asks, and once, since it takes longer than all else at the start."""
    app = Flask(__name__)
    app.config.update(API_TITLE="守望账本接口", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(spec_kwargs={"info": {"description": _ABOUT}})
    for field in _FIELDS:
        api.register_field(*field)
    api.init_app(app)
    bearer = {"type": "http", "scheme": "bearer", "description": "shouwang token issue 发的访问令牌"}
    api.spec.components.security_scheme("token", bearer)
    for noun in _NOUNS:
        api.register_blueprint(noun.blueprint)
    found: dict[str, Any] = api.spec.to_dict()
    return found
