"""A real browser on the running product."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.axe import violations
from tests.product import Product

_SERIOUS = {"serious", "critical"}


@dataclass
class Visitor:
    """Somebody with a browser window. What the browser complains about fails the test."""

    page: Page
    product: Product
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("response", self._note_response)

    def _note(self, message: Any) -> None:
        # The browser's own note on an answer that says "correct this form" is no complaint.
        if message.type in ("error", "warning") and "status of 422" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def _note_response(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status}: {response.url}")

    def open(self, path: str) -> None:
        """Go to a page of the product."""
        answer = self.page.goto(path if path.startswith("http") else f"{self.product.url}{path}")
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def sign_in(self) -> None:
        """As the demo owner, through the form."""
        self.open("/accounts/login/")
        self.page.get_by_label("E-mail").fill(self.product.email)
        self.page.get_by_label("Password", exact=True).fill(self.product.password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Hello").wait_for()

    def check(self, *rules: str) -> None:
        """No serious accessibility finding, no overflow sideways, nothing the browser complained about."""
        serious = [
            f"{finding['id']}: {[node['html'][:120] for node in finding['nodes']][:3]}"
            for finding in violations(self.page, *rules)
            if finding["impact"] in _SERIOUS
        ]
        assert serious == [], f"{self.page.url}: {serious}"
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
        assert self.complaints == [], f"{self.page.url}: {self.complaints}"

    def check_in_both(self) -> None:
        """As ``check``, in light and then in dark."""
        self.check()
        self.page.emulate_media(color_scheme="dark")
        # Links fade to their new colour.
        self.page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        self.check("color-contrast")
        self.page.emulate_media(color_scheme="light")


@pytest.fixture
def visitor(browser: Browser, product: Product) -> Iterator[Visitor]:
    """At a desk."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield Visitor(context.new_page(), product)
    context.close()


@pytest.fixture(params=["desk-light", "phone-dark"])
def anywhere(request: pytest.FixtureRequest, browser: Browser, product: Product) -> Iterator[Visitor]:
    """At a desk in light, on a phone in dark: the width decides what is where, the scheme what has which colour."""
    place, _, scheme = request.param.partition("-")
    size = {"width": 1280, "height": 900} if place == "desk" else {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, color_scheme=scheme, has_touch=place == "phone")  # type: ignore[arg-type]
    yield Visitor(context.new_page(), product)
    context.close()
