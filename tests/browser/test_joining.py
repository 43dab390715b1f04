"""A stranger opens an account and brings contacts; a colleague comes by a mailed link and sees what the role allows."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.watching import when_written

PASSWORD = "a quite long pass phrase"
LONG = 90_000
"""Milliseconds; a worker that is busy takes a while."""
CONTACTS = (
    "\ufeff Kunde ;Handy;E-Mail;Newsletter per SMS?\r\n"
    "Ann Bee;(202) 555-0101;ann@x.example;ja\r\n"
    '"Cole, Ben";202.555.0102;;yes\r\n'
    "Zoë Ö'Neil;1-202-555-0103;;yes\r\n"
    "Ann again;+1 202 555 0101;;yes\r\n"
    "Dan;2025550;dan@x.example;yes\r\n"
    "Eve;(202) 555-0105;no address;yes\r\n"
)
"""As people send them: semicolons, a mark at the front, numbers in all spellings, a person twice, two bad rows."""


def mail_to(home: Path, address: str) -> str:
    """The newest mail to an address: without a mail server mails are files in the data folder."""
    folder = home / "mail"

    def newest() -> str | None:
        paths = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
        texts = (path.read_text(encoding="utf-8") for path in paths)
        return next((text for text in texts if f"To: {address}" in text), None)

    return when_written(folder, newest, within=LONG / 1000)


def _upload(visitor: Visitor, name: str, content: str) -> None:
    page = visitor.page
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode("utf-8")}
    )
    expect(page.get_by_text("How did these people agree to be texted?")).to_be_visible()
    visitor.check()


def _import_a_messy_file(visitor: Visitor) -> None:
    page = visitor.page
    _upload(visitor, "kunden.csv", CONTACTS)
    page.get_by_label("Kunde", exact=True).select_option(label="Full name")
    page.get_by_label("Newsletter per SMS?").select_option(label="Agreed to texts (yes/no)")
    page.get_by_role("radio", name="They signed a paper form").check()
    page.get_by_role("checkbox", name="Offers and news").check()
    page.get_by_label("Put them into a new list").fill("Customers")
    page.get_by_role("button", name="Check 6 rows").click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible(timeout=LONG)
    visitor.check()
    page.get_by_role("button", name="Import 3 people").click()
    expect(page.get_by_text("2 rows could not be used")).to_be_visible(timeout=LONG)
    visitor.check()


def _correct_what_was_rejected(visitor: Visitor) -> None:
    """The file with the rejected rows, corrected in a spreadsheet program and uploaded again, needs no choices."""
    page = visitor.page
    with page.expect_download() as download:
        page.get_by_role("link", name="Rejected rows as CSV").click()
    rejected = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert rejected.count("\n") == 3
    corrected = rejected.replace("2025550,", "2025550104,").replace("2025550;", "2025550104;").replace("no address", "")
    assert corrected != rejected
    page.get_by_role("link", name="Import another file").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "corrected.csv", "mimeType": "text/csv", "buffer": corrected.encode()}
    )
    expect(page.get_by_text("What you said about that file is filled in below.")).to_be_visible()
    visitor.check()
    page.get_by_role("button", name="Check 2 rows").click()
    page.get_by_role("button", name="Import 2 people").click(timeout=LONG)
    page.get_by_role("link", name="See the contacts").click(timeout=LONG)
    for name in ("Ann Bee", "Ben Cole", "Zoë Ö'Neil", "Dan", "Eve"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    visitor.check()


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
    _import_a_messy_file(visitor)
    _correct_what_was_rejected(visitor)

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
