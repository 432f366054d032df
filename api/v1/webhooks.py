"""/webhooks: addresses of other systems that are told of what enters the log (ledger/webhooks.py): registering, looking, replaying, ending."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from api.auth import actor, ledger, open_to_tokens
from api.v1 import lists
from api.v1.fields import Choice, Code, Schema, Several, Whole, station
from api.v1.lists import Query, page_of, said_of
from api.v1.requests import JSON, KEY, Blueprint, answer, answer_changing, carry_out, describe, number_in_path, query, reads
from ledger import webhooks
from ledger.kinds import CURRENT
from ledger.kinds.checks import INTEGER_MAX
from ledger.repeats import Answer
from ledger.transactions import WriteTransaction
from ledger.webhooks import Webhook

blueprint = Blueprint("api_webhooks", __name__, url_prefix="/api/v1/webhooks", description="接收地址（webhook）")
_SHOWN = ("id", "url", "station", "kinds", "created_at", "next_index", "behind", "failures")
_TIMES = ("next_attempt_at", "last_success_at", "last_failure_at", "last_error")
_NUMBER = "/<string(length=10):number>"


class WebhookShown(ma.Schema):
    """A receiver."""

    id = fields.String(required=True, metadata={"description": "编号，10 位"})
    url = fields.String(required=True)
    station = fields.String(metadata={"description": "只告知这个站点和它下级的；不写则全部"})
    kinds = fields.List(fields.String(), required=True, metadata={"description": "只告知这些种类的；空则全部"})
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    next_index = fields.Integer(required=True, metadata={"description": "下一次从账本中第几条告知"})
    behind = fields.Integer(required=True, metadata={"description": "还有几条没有看过"})
    failures = fields.Integer(required=True, metadata={"description": "最近连续失败的次数"})
    next_attempt_at = fields.String(metadata={"description": "失败之后，到这时再试", "format": "date-time"})
    last_success_at = fields.String(metadata={"format": "date-time"})
    last_failure_at = fields.String(metadata={"format": "date-time"})
    last_error = fields.String(metadata={"description": "最近一次失败的原因"})
    secret = fields.String(metadata={"description": "签名密钥（whsec_…），只在登记和换密钥的答复里有。请保存"})


class WebhookSaid(Schema):
    """A receiver as somebody registers it."""

    url = Code(str, "应是网址", description="接收地址，https，公网", example="https://example.org/hooks", minLength=1, maxLength=500)
    station = station(required=False, description="只告知这个站点和它下级的；不写则全部（要有全区的权限）")
    kinds = Several(Choice(dict.fromkeys(CURRENT, "")), 40, required=False, description="只告知这些种类的条目；不写则全部")


class Replay(Schema):
    """From where on to tell everything again."""

    index = Whole(0, INTEGER_MAX, description="从账本中第几条起重新告知", example=0)


_QUERY, _SAID, _REPLAY = Query(), WebhookSaid(), Replay()
_AGAIN = "这个编号的请求早已办过：第一次的答复"


@blueprint.route("")
@open_to_tokens("webhooks:write")
@describe(
    "列出接收地址",
    {200: ("一页接收地址，各自告知到哪里、最近一次成败", {JSON: page_of(WebhookShown, "WebhookPage")})},
    parameters=[{"in": "query", "schema": Query}],
)
def listing() -> Response:
    """List the receivers that the token's account looks after."""
    said = query(_QUERY)
    with ledger().read() as tx:
        rows = webhooks.everyone(tx, actor())
    start = int(said["cursor"]) + 1 if said.get("cursor", "").isdecimal() else 0
    page = list(enumerate(rows))[start : start + said.get("limit", lists.LIMIT) + 1]
    return lists.answer_page(page, said, lambda row: row[0], lambda kept: [_shown(row) for _, row in kept])


@blueprint.route("", methods=["POST"])
@open_to_tokens("webhooks:write")
@describe(
    "登记接收地址",
    {201: ("已登记，连同密钥", {JSON: WebhookShown}), 200: (_AGAIN, {JSON: WebhookShown})},
    description="此后账本每增加一条，就向它 POST 一个 JSON：type 是条目种类，data 里是 index、id、kind、station、leaf，没有任何个人信息。"
    "签名按 Standard Webhooks（webhook-id、webhook-timestamp、webhook-signature）。按账本先后，至少一次；答 2xx 才算收到。",
    parameters=[KEY],
)
@reads(_SAID)
def register(said: dict[str, Any]) -> Response:
    """Register a receiver."""
    private = ledger().settings.webhooks_private

    def work(tx: WriteTransaction) -> Answer:
        made = webhooks.register(tx, said["url"], private=private, station=said.get("station"), kinds=said.get("kinds", ()))
        return _shown(made)

    return _with_secret(carry_out(work, lambda found: f"/api/v1/webhooks/{found['id']}"))


@blueprint.route(_NUMBER)
@open_to_tokens("webhooks:write")
@describe("读一个接收地址", {200: ("接收地址", {JSON: WebhookShown})})
def one(number: str) -> Response:
    """Show a receiver."""
    with ledger().read() as tx:
        found = webhooks.get(tx, actor(), number_in_path(number))
    return answer_changing(_shown(found))


@blueprint.route(_NUMBER, methods=["DELETE"])
@open_to_tokens("webhooks:write")
@describe("删去接收地址", {204: ("已删去", {})})
def remove(number: str) -> Response:
    """End a receiver."""
    ledger().write(lambda tx: webhooks.remove(tx, number_in_path(number)), actor())
    return Response(status=204)


@blueprint.route(f"{_NUMBER}/replays", methods=["POST"])
@open_to_tokens("webhooks:write")
@describe("从某一条起重新告知", {201: ("已安排", {JSON: WebhookShown}), 200: (_AGAIN, {JSON: WebhookShown})}, parameters=[KEY])
@reads(_REPLAY)
def replay(said: dict[str, Any], number: str) -> Response:
    """Tell a receiver everything again."""
    return carry_out(lambda tx: _shown(webhooks.replay(tx, number_in_path(number), said["index"])))


@blueprint.route(f"{_NUMBER}/secrets", methods=["POST"])
@open_to_tokens("webhooks:write")
@describe("换密钥", {201: ("新的密钥，旧的立即作废", {JSON: WebhookShown}), 200: (_AGAIN, {JSON: WebhookShown})}, parameters=[KEY])
def renew(number: str) -> Response:
    """Give a receiver a new secret."""
    return _with_secret(carry_out(lambda tx: _shown(webhooks.renew_secret(tx, number_in_path(number)))))


def _with_secret(response: Response) -> Response:
    """Add the secret, which no kept answer holds."""
    said = response.get_json()
    with ledger().read() as tx:
        said["secret"] = webhooks.secret(tx, said["id"])
    return answer(said, response.status_code, {"Location": f"/api/v1/webhooks/{said['id']}"})


def _shown(one: Webhook) -> dict[str, Any]:
    return said_of(one, _SHOWN + _TIMES)
