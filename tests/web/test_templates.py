"""Every template compiles, names only templates that exist, and keeps to the strict CSP."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, nodes
from jinja2.meta import find_referenced_templates

from scheduler.core.settings import Settings
from web import create_app

TEMPLATES: Final = Path(__file__).parents[2] / "web" / "templates"
NAMES: Final = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
JINJA: Final = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
ATTRIBUTES: Final = re.compile(r"""["'](style|on\w+)["']\s*:""")


@pytest.fixture(scope="module")
def environment() -> Environment:
    """The application's own environment, filters and extensions included."""
    settings = Settings(database_url="sqlite://", secret_key="a key that signs nothing here")
    return create_app(settings).jinja_env


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles(environment: Environment, name: str) -> None:
    template = environment.get_template(name)
    assert template.root_render_func is not None


@pytest.mark.parametrize("name", NAMES)
def test_template_names_only_templates_that_exist(environment: Environment, name: str) -> None:
    tree = environment.parse((TEMPLATES / name).read_text("utf-8"))
    literal = {found for found in find_referenced_templates(tree) if found is not None}
    # `extends` may choose between two names.
    for choice in tree.find_all(nodes.Extends | nodes.Include):
        literal |= {str(const.value) for const in choice.template.find_all(nodes.Const)}
    missing = {found for found in literal if found.endswith(".html") and found not in NAMES}
    assert missing == set()


class InlineCode(HTMLParser):
    """Collects what the content security policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        self.found += [
            f"{name}={value}" for name, value in attrs if (value or "").startswith("javascript:")
        ]

    handle_startendtag = handle_starttag


def inline_code(source: str) -> list[str]:
    parser = InlineCode()
    parser.feed(JINJA.sub(lambda match: "" if match[0].startswith("{#") else "x", source))
    parser.close()
    return parser.found


@pytest.mark.parametrize("name", NAMES)
def test_template_has_no_inline_style_or_script(name: str) -> None:
    source = (TEMPLATES / name).read_text("utf-8")
    assert inline_code(source) == []
    # Attributes also come from mappings: {"style": …} given to a macro or to a field.
    assert ATTRIBUTES.findall(source) == []


@pytest.mark.parametrize(
    "source",
    [
        '<p style="color: red">',
        '<p class="x"{% if y %} style="{{ z }}"{% endif %}>',
        "<button onclick=\"go('now')\">",
        "<style>p { color: red }</style>",
        "<script>go()</script>",
        '<a href="javascript:go()">',
    ],
)
def test_inline_code_is_found(source: str) -> None:
    assert inline_code(source)


def test_every_page_of_the_house_is_looked_at() -> None:
    assert {"layouts/base.html", "layouts/bare.html", "layouts/panel.html"} <= set(NAMES)
