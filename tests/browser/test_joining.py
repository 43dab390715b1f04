"""A stranger opens an account and brings contacts; a colleague comes by a mailed link and sees what the role allows."""

import re
import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor

PASSWORD = "a quite long pass phrase"
CONTACTS = b"First name,Mobile,Agreed\nAnn,(202) 555-0101,yes\nBen,(202) 555-0102,yes\n"


def mail_to(home: Path, address: str, *, within: float = 90.0) -> str:
    """The newest mail to an address: without a mail server mails are files in the data folder."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for path in sorted((home / "mail").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True):
            text = path.read_text(encoding="utf-8")
            if f"To: {address}" in text:
                return text
        time.sleep(0.5)
    raise AssertionError(f"no mail to {address}")


def test_from_nothing_to_a_first_list_and_a_colleague(visitor: Visitor, browser: Browser) -> None:
    page, home = visitor.page, visitor.product.home
    visitor.open("/accounts/login/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Your name").fill("Stella Stein")
    page.get_by_label("E-mail address").fill("stella@bakery.example")
    page.get_by_label("Choose a password").fill(PASSWORD)
    visitor.check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    code = re.search(r"^([A-Z0-9-]{6,})$", mail_to(home, "stella@bakery.example"), re.MULTILINE)
    assert code
    page.get_by_label("Code").fill(code.group(1))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Business name").fill("Stella's Bakery")
    page.get_by_label("Country").select_option("FR")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Paris")
    page.get_by_label("Country").select_option("US")
    expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
    page.get_by_label("Help contact").fill("help@bakery.example")
    visitor.check()
    page.get_by_role("button", name="Open the account").click()
    expect(page.get_by_text("First steps", exact=True)).to_be_visible()
    visitor.check()

    page.get_by_role("link", name="Import contacts").first.click()
    page.locator("input[type=file]").set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": CONTACTS})
    expect(page.get_by_text("How did these people agree to be texted?")).to_be_visible()

    visitor.open("/settings/team/")
    page.locator("#invite").get_by_label("E-mail address").fill("nina@bakery.example")
    page.locator("#invite").get_by_label("Role").select_option("agent_assigned")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.locator("#invitation-link")).to_be_visible()
    visitor.check()

    link = re.search(r"http://\S+/invitations/\S+", mail_to(home, "nina@bakery.example"))
    assert link
    context = browser.new_context(viewport={"width": 390, "height": 844})
    nina = Visitor(context.new_page(), visitor.product)
    nina.open(link.group(0))
    nina.check()
    nina.page.get_by_label("Your name").fill("Nina Ng")
    nina.page.get_by_label("Choose a password").fill(PASSWORD)
    nina.page.get_by_role("button", name="Join Stella's Bakery").click()
    expect(nina.page.get_by_role("heading", name="Hello, Nina")).to_be_visible()
    nina.check()
    answer = nina.page.goto(f"{visitor.product.url}/campaigns/")
    assert answer is not None
    assert answer.status == 403
    context.close()
