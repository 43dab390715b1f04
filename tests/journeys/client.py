"""A signed-in person without a browser: forms and cookies over HTTP."""

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from tests.product import Product

__all__ = ["Person"]


class Person:
    """Signs in as the demo owner."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))
        self.get("/accounts/login/")
        self.post("/accounts/login/", {"login": product.email, "password": product.password})

    def get(self, path: str) -> str:
        """The page's text."""
        with self.opener.open(self._url(path), timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, form: dict[str, str]) -> str:
        """Submit a form; returns the address that it led to."""
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrf")
        data = urlencode({**form, "csrfmiddlewaretoken": token or ""}).encode()
        request = Request(self._url(path), data=data, headers={"Referer": self.product.url})
        with self.opener.open(request, timeout=60) as answer:
            answer.read()
            return str(answer.url)

    def list_id(self, name: str) -> str:
        """The id of a contact list, as the composer offers it."""
        found = re.search(
            rf'name="lists"[^>]*value="([0-9a-f-]+)"[^>]*>\s*(?:<[^>]*>\s*)*{re.escape(name)}',
            self.get("/campaigns/new/"),
        )
        assert found, name
        return found.group(1)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.product.url + path
