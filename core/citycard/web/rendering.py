"""Pages from templates: autoescaped, in the reader's language, with the menu the reader may use."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from citycard.web.context import Web, actor_of, web_of
from citycard.web.folders import plugin_folders
from citycard.web.forms import form_token, keep_form_cookie
from citycard.web.languages import LANGUAGES, Language, chosen, language, mark
from citycard.web.permissions import PUBLIC, Reach, Role, reach

__all__ = ["TEMPLATES", "city_title", "language_of", "render", "role_name", "safe_next", "wants_page"]

TEMPLATES = Path(__file__).parent / "templates"

# Path, title, permission: the core's own entries. Plugins' entries follow them.
_MENU = (
    ("/", mark("The day"), PUBLIC),
    ("/partners", mark("Partners"), "city.read-partners"),
    ("/float", mark("Float"), "city.read-float"),
    ("/plugins", mark("Plugins"), "city.read-plugins"),
    ("/cards", mark("Cards"), "city.read-cards"),
    ("/bank", mark("Bank"), "city.read-bank"),
    ("/interconnect", mark("Other cities"), "city.read-interconnect"),
    ("/disputes", mark("Disputes"), "city.read-disputes"),
    ("/subsidies", mark("Subsidies"), "city.read-subsidies"),
    ("/supervision", mark("Supervision"), "city.read-supervision"),
)

# Who may read only what is its own finds it here, since no list leads there.
_STATEMENTS = "city.read-statements"

_ROLES = {
    Role.PUBLIC: mark("Everybody"),
    Role.CITIZEN: mark("Citizen"),
    Role.CLERK: mark("Clerk"),
    Role.PARTNER: mark("Partner"),
    Role.OPERATOR: mark("Operator"),
    Role.AUDITOR: mark("Auditor"),
}


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template for whoever asks; ``values`` are added to what every page has.

    ``zoo/visits.html`` is ``visits.html`` in the folder ``templates`` beside plugin zoo's module, any other
    name a template of the core.
    """
    web = web_of(request)
    say = language_of(request)
    shared = {
        "_": say,
        "ngettext": say.count,
        "money": say.money,
        "lang": say.code,
        "actor": actor_of(request),
        "role_name": say(_ROLES[actor_of(request).role]),
        "csrf": lambda: form_token(request),
        "menu": _menu(request, web, say),
        "other_languages": _others(request, say),
        "city_name": city_title(web, say),
        "city_name_zh": web.city.config.city.name_zh,
        "city_code": web.city.config.city.code,
        "next": safe_next(request.query_params.get("next", request.url.path)),
        "problem": None,
    }
    response = HTMLResponse(_environment().get_template(template).render(shared | values), status_code=status)
    response.headers["content-language"] = say.code
    keep_form_cookie(request, response)
    return response


def language_of(request: Request) -> Language:
    """Return the language of a request, made once; a plugin's own words come first on its own pages."""
    if not hasattr(request.state, "language"):
        # An application that only answers with our problems has no plugins.
        web: Web | None = getattr(request.app.state, "web", None)
        locales = web.switchboard.locales() if web else {}
        own = locales.get(getattr(request.state, "plugin", ""))
        request.state.language = _language(chosen(request), tuple(locales.values()), own)
    spoken: Language = request.state.language
    return spoken


def city_title(web: Web, say: Language) -> str:
    """Name the city in the reader's language."""
    named = web.city.config.city
    return (named.name_zh or named.name) if say.code == "zh" else named.name


def safe_next(wish: str) -> str:
    """Keep an address to go on to only if it stays on this server and is a page to look at."""
    inside = wish.startswith("/") and not wish.startswith("//") and "\\" not in wish and wish.isprintable()
    return wish if inside and not wish.startswith("/sign-") else "/"


def role_name(role: Role, say: Language) -> str:
    """Name a role in the reader's language."""
    return say(_ROLES[role])


def wants_page(request: Request) -> bool:
    """Tell whether a person is asking: a browser, outside the endpoints under ``/api/``."""
    path = request.url.path
    if path.startswith("/api/") or path == "/openapi.json":
        return False
    return "text/html" in request.headers.get("accept", "")


def _menu(request: Request, web: Web, say: Language) -> list[dict[str, Any]]:
    path = request.url.path
    actor = actor_of(request)
    items = [(where, say(title), permission) for where, title, permission in _MENU]
    if actor.subject and reach(actor.role, _STATEMENTS) is Reach.OWN:
        items.append((f"/partners/{quote(actor.subject, safe='')}", say("My statement"), _STATEMENTS))
    for where, item in web.switchboard.menu():
        strange = item.partners is not None and actor.subject not in item.partners
        if (item.own and not actor.subject) or (strange and actor.role is Role.PARTNER):
            continue
        items.append(
            (where, item.title_zh if say.code == "zh" and item.title_zh else say(item.title), item.permission)
        )
    return [
        {
            "path": where,
            "title": title,
            "current": path == where or (where != "/" and path.startswith(f"{where}/")),
        }
        for where, title, permission in items
        if actor.may(permission)
    ]


def _others(request: Request, say: Language) -> list[dict[str, str]]:
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in {"lang", "token"}
    ]
    return [
        {"code": code, "name": name, "path": f"{request.url.path}?{urlencode([*kept, ('lang', code)])}"}
        for code, name in LANGUAGES.items()
        if code != say.code
    ]


@cache
def _environment() -> Environment:
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FunctionLoader(_of_plugin)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _of_plugin(template: str) -> tuple[str, str, None] | None:
    plugin, _, name = template.partition("/")
    for folder in plugin_folders([plugin], "templates").values():
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8"), str(path), None
    return None


@cache
def _language(code: str, folders: tuple[Path, ...], own: Path | None) -> Language:
    return language(code, folders, own=own)
