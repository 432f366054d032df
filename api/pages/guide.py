"""「帮助」: what every page is for and how it is used, in one place; open to everybody, and good to print."""

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from api.auth import allowed_roles, open_to_all
from api.help_texts import GROUPS
from ledger.people.actors import ROLES

blueprint = Blueprint("guide", __name__)


@blueprint.get("/help")
@open_to_all
def page() -> ResponseReturnValue:
    """List the pages that there are, with their steps and who may open them."""
    views = current_app.view_functions
    groups = {
        title: {endpoint: (one, _who(endpoint), _address(endpoint)) for endpoint, one in pages.items() if endpoint in views}
        for title, pages in GROUPS.items()
    }
    return render_template("help.html", groups=groups)


def _address(endpoint: str) -> str | None:
    """Give where a page is; None for one that is about something and has to be come to from there."""
    plain = any(not rule.arguments for rule in current_app.url_map.iter_rules(endpoint))
    return url_for(endpoint) if plain else None


def _who(endpoint: str) -> str:
    roles = allowed_roles(current_app.view_functions[endpoint])
    return "、".join(title for role, title in ROLES.items() if role in roles) or "所有人"
