"""What a hand on the keyboard or a small screen meets: nothing out of sight, the focus where one writes, a quiet console."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visitor

FOUND = re.compile(r"It finds \d+ (person|people) now")
_HIDDEN_SIDEWAYS = "[...document.querySelectorAll('.table-scroll')].map(part => part.scrollWidth - part.clientWidth)"


@pytest.mark.parametrize("width", [390, 1024, 1280])
@pytest.mark.parametrize("path", ["/settings/senders/", "/campaigns/"])
def test_no_column_is_out_of_sight(visitor: Visitor, path: str, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.sign_in()
    visitor.open(path)
    hidden = visitor.page.evaluate(_HIDDEN_SIDEWAYS)
    assert hidden
    assert max(hidden) <= 0


def test_what_is_typed_into_a_filter_stays(visitor: Visitor) -> None:
    """However quickly the next value follows: answers to the ones before come while somebody types."""
    page = visitor.page
    visitor.sign_in()
    visitor.open("/contacts/filters/new/")
    page.get_by_label("Name of the filter").fill("Typed quickly")
    page.get_by_role("button", name="Group").click()
    boxes = page.get_by_label("Value")
    expect(boxes).to_have_count(3)
    for at, typed in enumerate(("a", "ann", "be")):
        boxes.nth(at).fill(typed)
    expect(page.get_by_text(FOUND)).to_be_visible()
    page.get_by_label("How many of the conditions must hold").first.select_option(label="Any of these")
    boxes.nth(2).press_sequentially("n", delay=5)
    expect(boxes.nth(2)).to_have_value("ben")
    page.get_by_role("button", name="Save the filter").click()
    page.get_by_role("link", name="Change Typed quickly").click()
    assert [box.input_value() for box in page.get_by_label("Value").all()] == ["a", "ann", "ben"]
    visitor.check()


def test_the_count_is_that_of_what_was_typed_last(visitor: Visitor) -> None:
    """The answer to a value before, in another box, would come later: nobody waits for it any more."""
    page = visitor.page
    visitor.sign_in()
    visitor.open("/contacts/filters/new/")
    page.get_by_role("button", name="Condition", exact=True).click()
    boxes = page.get_by_label("Value")
    expect(boxes).to_have_count(2)
    slow: list[Route] = []

    def hold(route: Route) -> None:
        if "ann" in str(route.request.post_data):
            route.continue_()
        else:
            slow.append(route)

    page.route("**/contacts/filters/new/", hold)
    with page.expect_request("**/contacts/filters/new/"):
        boxes.nth(0).press_sequentially("a")
    boxes.nth(1).press_sequentially("ann")
    expect(page.get_by_text(FOUND)).to_be_visible()
    assert slow
    assert all(route.request.failure for route in slow)
    visitor.check()


def test_what_is_typed_while_the_conditions_come_anew_counts(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in()
    visitor.open("/contacts/filters/new/")
    slow: list[Route] = []
    page.route("**/contacts/filters/new/", lambda route: route.continue_() if slow else slow.append(route))
    with page.expect_request("**/contacts/filters/new/"):
        page.get_by_label("How it compares").select_option(label="is not")
    page.get_by_label("Value").press_sequentially("ann")
    expect(page.get_by_text(FOUND)).to_be_visible()
    with page.expect_request("**/contacts/filters/new/"):
        slow[0].continue_()
    expect(page.get_by_text("Give each condition a value")).to_be_hidden()
    expect(page.get_by_text(FOUND)).to_be_visible()
    expect(page.get_by_label("Value")).to_have_value("ann")


def test_a_dialog_begins_at_its_first_field(visitor: Visitor) -> None:
    visitor.sign_in()
    for path, button, field in (("/settings/senders/", "Add a number", "account"), ("/inbox/", "New", "number")):
        visitor.open(path)
        visitor.page.get_by_role("button", name=button).click()
        assert visitor.page.evaluate("document.activeElement.name") == field


def test_a_preview_that_is_given_up_is_no_error(visitor: Visitor) -> None:
    """By typing on, or by leaving."""
    visitor.sign_in()
    visitor.open("/campaigns/new/")
    visitor.page.route("**/campaigns/preview/**", lambda route: None)
    visitor.page.on("dialog", lambda dialog: dialog.accept())
    for typed in ("Hello", "Hello there"):
        with visitor.page.expect_request("**/campaigns/preview/**"):
            visitor.page.get_by_label("What it says").fill(typed)
    assert visitor.complaints == []
    visitor.open("/campaigns/")
    assert visitor.complaints == []


def test_the_phones_name_the_zone_of_their_times(visitor: Visitor) -> None:
    visitor.open("/phones/")
    zone = visitor.page.evaluate("new Date().toLocaleTimeString('en', {timeZoneName: 'short'}).split(' ').at(-1)")
    assert visitor.page.locator("time").first.inner_text().endswith(zone)
