"""A real browser on the running product."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.axe import FADED, violations
from tests.product import Product

_SERIOUS = {"serious", "critical"}
DESK: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


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
        self._turn("dark")
        self.check("color-contrast")
        self._turn("light")

    def check_anywhere(self) -> None:
        """As ``check``, on a phone in dark and then at a desk in light: the width decides what is where, the scheme
        what has which colour. Loading a page costs more than looking at it a second time.
        """
        self.check()
        self.page.set_viewport_size(DESK)
        self._turn("light")
        self.check()
        self.page.set_viewport_size(PHONE)
        self._turn("dark")

    def _turn(self, scheme: Literal["light", "dark"]) -> None:
        self.page.emulate_media(color_scheme=scheme)
        # The admin follows the device by style sheets alone.
        self.page.locator(f"html:not([data-bs-theme]), html[data-bs-theme={scheme}]").wait_for()
        # Links fade to their new colour.
        self.page.evaluate(FADED)


@pytest.fixture
def visitor(browser: Browser, product: Product) -> Iterator[Visitor]:
    """At a desk."""
    context = browser.new_context(viewport=DESK)
    yield Visitor(context.new_page(), product)
    context.close()


@pytest.fixture
def anywhere(browser: Browser, product: Product) -> Iterator[Visitor]:
    """On a phone in dark, from where ``check_anywhere`` looks at each page at a desk too."""
    context = browser.new_context(viewport=PHONE, color_scheme="dark", has_touch=True)
    yield Visitor(context.new_page(), product)
    context.close()
