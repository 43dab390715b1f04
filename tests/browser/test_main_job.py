"""The main job, as a person does it: a customer file becomes texts on phones, replies come back, STOP holds."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.customer_file import customer_file

LONG = 90_000
"""Milliseconds; thousands of texts and receipts on a small machine take a while."""

STOPPED, HELPED, WROTE = "+12035550121", "+12035550122", "+12035550123"


def test_a_customer_file_becomes_texts_on_phones(visitor: Visitor) -> None:
    visitor.sign_in()
    _import_the_file(visitor)
    _launch(visitor, "Spring sale", "Hi {{ first_name | there }}, 20% off all week.")
    _wait_until_completed(visitor.page)
    reached = _texts_on_phones(visitor)
    assert reached >= 4_000
    _reply(visitor, STOPPED, "STOP", answer="opted out")
    _reply(visitor, HELPED, "HELP", answer="202-555-0100")
    _reply(visitor, WROTE, "Do you have it in blue?", answer=None)
    _the_stopped_person_is_suppressed(visitor)
    _the_sentence_is_in_the_inbox_and_answered(visitor)
    _import_some_again(visitor)
    _launch(visitor, "Last day", "Only today, {{ first_name | there }}!", to="Regulars")
    _wait_until_completed(visitor.page)
    _the_second_campaign_skips_the_stopped_person_with_the_reason(visitor)


def _import_the_file(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/contacts/import/")
    visitor.check()
    content = customer_file(good=4_800, bad=200, declined=100).encode()
    page.set_input_files("input[type=file]", {"name": "customers.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("heading", name="customers.csv").wait_for()
    visitor.check()
    page.get_by_role("radio", name="They ticked a box on a web form").check()
    page.get_by_role("checkbox", name="Offers and news").check()
    page.get_by_label("or into a new list").fill("Spring customers")
    page.get_by_role("button", name="Check 5,000 rows").click()
    page.get_by_role("heading", name="What will happen").wait_for(timeout=LONG)
    visitor.check()
    page.get_by_role("button", name="Import 4,800 people").click()
    page.get_by_text("200 rows could not be used").wait_for(timeout=LONG)
    visitor.check()
    with page.expect_download() as download:
        page.get_by_role("link", name="Rejected rows as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 201
    assert lines[0].endswith("row,problem")
    page.get_by_role("link", name=re.compile(r"^Rejected \d")).click()
    expect(page.get_by_role("cell", name=re.compile("No such number can exist")).first).to_be_visible()


def _import_some_again(visitor: Visitor) -> None:
    """Two of them, whom a smaller list is to hold; nothing about them is new."""
    page = visitor.page
    visitor.open("/contacts/import/")
    content = f"Mobile\n{STOPPED}\n{WROTE}\n".encode()
    page.set_input_files("input[type=file]", {"name": "regulars.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("heading", name="regulars.csv").wait_for()
    page.get_by_role("radio", name="They ticked a box on a web form").check()
    page.get_by_role("checkbox", name="Offers and news").check()
    page.get_by_label("or into a new list").fill("Regulars")
    page.get_by_role("button", name="Check 2 rows").click()
    page.get_by_role("heading", name="What will happen").wait_for(timeout=LONG)
    page.get_by_role("button", name=re.compile("^Import")).click()
    page.get_by_role("link", name="See the contacts").wait_for(timeout=LONG)


def _launch(visitor: Visitor, name: str, body: str, *, to: str = "Spring customers") -> None:
    page = visitor.page
    visitor.open("/campaigns/new/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("checkbox", name=to).first.check()
    page.get_by_label("What it says").fill(body)
    expect(page.get_by_text("Reply STOP to opt out, HELP for help.").first).to_be_visible()
    visitor.check()
    page.get_by_role("button", name="Save and review").click()
    page.wait_for_url("**/review/")
    visitor.check()
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("heading", name=name).wait_for()


def _wait_until_completed(page: Page) -> None:
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=LONG)


def _texts_on_phones(visitor: Visitor) -> int:
    visitor.open("/phones/")
    visitor.check()
    shown = re.search(r"([\d,]+)\s+texts have arrived", visitor.page.inner_text("body"))
    assert shown, visitor.page.inner_text("body")
    return int(shown.group(1).replace(",", ""))


def _reply(visitor: Visitor, number: str, text: str, *, answer: str | None) -> None:
    page = visitor.page
    visitor.open(f"/phones/{number}/")
    page.get_by_label("Your text").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(text, exact=True).first).to_be_visible()
    if answer:
        expect(page.get_by_text(answer).last).to_be_visible(timeout=LONG)
    visitor.check()


def _the_stopped_person_is_suppressed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"/contacts/?q={STOPPED[1:]}")
    page.get_by_role("link", name=re.compile("^First")).first.click()
    expect(page.get_by_text("Opted out").first).to_be_visible()
    visitor.check()


def _the_sentence_is_in_the_inbox_and_answered(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/inbox/")
    page.get_by_text("Do you have it in blue?").first.click(timeout=LONG)
    page.get_by_label("Your reply").fill("Yes, in three sizes.")
    page.get_by_role("button", name=re.compile("^Send")).click()
    expect(page.get_by_text("Yes, in three sizes.").first).to_be_visible()
    visitor.check()
    visitor.open(f"/phones/{WROTE}/")
    expect(page.get_by_text("Yes, in three sizes.").first).to_be_visible(timeout=LONG)


def _the_second_campaign_skips_the_stopped_person_with_the_reason(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{page.url.partition('?')[0]}?status=blocked&q={STOPPED[1:]}")
    row = page.get_by_role("row").filter(has_text="555-0121")
    expect(row).to_contain_text("Opted out")
    visitor.check()
    visitor.open(f"/phones/{STOPPED}/")
    assert "Only today" not in page.inner_text("body")
    visitor.open(f"/phones/{WROTE}/")
    expect(page.get_by_text("Only today").first).to_be_visible()
