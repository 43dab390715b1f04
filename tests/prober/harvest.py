"""What a page sends back: the forms and the links in its HTML, and the parameters that its view reads.

Forms come from the pages as a browser sees them, so that a new one is probed without being named anywhere.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any

__all__ = ["Form", "Parameters", "forms_and_links", "parameters_of"]

_TYPED = {
    "email": "somebody@mail.example",
    "tel": "(202) 555-0134",
    "number": "1",
    "date": "2026-01-05",
    "datetime-local": "2027-01-05T10:00",
    "url": "https://site.example/",
    "password": "correct horse battery",
    "search": "x",
}
"""What is typed into an empty box, by its type."""

NAMED = {
    "account_sid": "AC" + "0" * 32,
    "api_key_sid": "SK" + "0" * 32,
    "api_key": "KEY" + "0" * 32,
    "public_key": "A" * 43 + "=",
    "messaging_profile_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "value": "(202) 555-0134",
    "typed": "ERASE",
    "timezone": "America/New_York",
    "parts_per_second": "5",
    "parts_per_day": "2000",
    "weight": "20",
    "lines": "+12025550134, 2026-01-05",
    "note": "by e-mail",
}
"""What is typed into an empty box, by its name: add what a form needs to be valid."""


@dataclass
class Form:
    """A form of a page: where it goes and what it sends as it stands, empty boxes filled."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    ticks: dict[str, list[str]] = field(default_factory=dict)
    """What could be ticked besides."""
    files: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    """Collects forms with their controls, controls that send by themselves (hx-post), and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.links: list[str] = []
        self.open: Form | None = None
        self.select: tuple[Form, str, list[tuple[str, bool]]] | None = None
        self.area: tuple[Form, str] | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has: dict[str, str] = {name: value or "" for name, value in attrs}
        if tag == "a" and has.get("href", "").startswith(("/", "?")):
            self.links.append(has["href"] if has["href"].startswith("/") else self.page + has["href"])
        for method in ("get", "post", "put", "patch", "delete"):
            if f"hx-{method}" in has:
                self.forms.append(Form(has[f"hx-{method}"] or self.page, method.upper()))
        if tag == "form":
            self.open = Form(has.get("action") or self.page, (has.get("method") or "get").upper())
            self.forms.append(self.open)
            self.by_id[has.get("id", "")] = self.open
        form = self.by_id.get(has["form"]) if "form" in has else self.open
        if form is not None and has.get("name"):
            self._control(tag, form, has)
        elif tag == "option" and self.select:
            self.select[2].append((has.get("value", ""), "selected" in has))

    def _control(self, tag: str, form: Form, has: dict[str, str]) -> None:
        name, kind = has["name"], has.get("type", "text")
        if tag == "select":
            self.select = (form, name, [])
        elif tag == "textarea":
            self.area, self.text = (form, name), ""
        elif kind == "file":
            form.files.add(name)
        elif tag == "input" and kind in ("checkbox", "radio"):
            form.ticks.setdefault(name, []).append(has.get("value", "on"))
            if "checked" in has:
                form.values[name] = [*(form.values.get(name, []) if kind == "checkbox" else []), has.get("value", "on")]
            elif kind == "radio":
                form.values.setdefault(name, [has.get("value", "on")])
        elif tag in ("input", "button"):
            form.values[name] = [has.get("value") or NAMED.get(name) or _TYPED.get(kind, "7" if tag == "input" else "")]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea" and self.area:
            form, name = self.area
            form.values[name] = [self.text.strip() or NAMED.get(name) or "Some text that is long enough."]
            self.area = None
        elif tag == "select" and self.select:
            form, name, options = self.select
            chosen = [value for value, selected in options if selected and value]
            form.values[name] = chosen or [value for value, _ in options if value][:1] or [""]
            self.select = None


def forms_and_links(page: str, html: str) -> tuple[list[Form], list[str]]:
    """What the page at ``page`` sends and where it leads."""
    reader = _Reader(page)
    reader.feed(html)
    for form in reader.forms:
        form.values.pop("csrfmiddlewaretoken", None)
    return reader.forms, reader.links


@dataclass
class Parameters:
    """The names that a view reads from the address and from a form, and the words it compares them with."""

    query: dict[str, set[str]] = field(default_factory=dict)
    form: dict[str, set[str]] = field(default_factory=dict)


@cache
def parameters_of(view: Callable[..., object]) -> Parameters:
    """What the view, and the functions of its module that it calls, read of a request."""
    inner = inspect.unwrap(view)
    module = inspect.getmodule(inner)
    found = Parameters()
    if module is None or not hasattr(inner, "__code__") or "site-packages" in (module.__file__ or ""):
        return found
    functions = {
        node.name: node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.FunctionDef)
    }
    waiting, seen = [inner.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in functions and name not in seen:
            seen.add(name)
            _read(functions[name], found)
            waiting += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
    return found


def _read(function: ast.FunctionDef, found: Parameters) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            for target, name in _names(node, found, function):
                target.setdefault(name, set())
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Call):
            words = {part.value for part in node.comparators if isinstance(part, ast.Constant)}
            for target, name in _names(node.left, found, function):
                target.setdefault(name, set()).update(str(word) for word in words)


def _names(call: ast.Call, found: Parameters, function: ast.FunctionDef) -> Iterator[tuple[dict[str, set[str]], str]]:
    """The parameters that one call reads: request.GET.get("x"), or a helper that is given the request and a name."""
    texts = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    source = ast.unparse(call.func)
    if source.startswith(("request.GET.", "request.POST.")):
        target = found.query if ".GET." in source else found.form
        looped = [part.id for part in call.args[:1] if isinstance(part, ast.Name)]
        for name in texts[:1] or _looped_over(function, looped):
            yield target, name
    elif any(isinstance(part, ast.Name) and part.id == "request" for part in call.args[:1]):
        if source.startswith("search_"):
            texts = texts or ["q"]
        for name in texts[:1]:
            if name.isidentifier():
                yield found.query, name


def _looped_over(function: ast.FunctionDef, variables: list[str]) -> list[str]:
    """The constants that a loop gives a variable: ``for name in ("list", "tag")``."""
    names: list[str] = []
    for node in ast.walk(function):
        target: Any = getattr(node, "target", None)
        values: Any = getattr(node, "iter", None)
        if isinstance(target, ast.Name) and target.id in variables and isinstance(values, ast.Tuple | ast.List):
            names += [str(part.value) for part in values.elts if isinstance(part, ast.Constant)]
    return names
