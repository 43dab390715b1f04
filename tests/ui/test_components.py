"""The look in a real browser: accessible, within the content security policy, and it does what it promises.

The pages come from tests/ui/styleguide, served by a process of its own without a database.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.axe import violations

PROJECT = Path(__file__).resolve().parents[2]

PAGES = [
    "/",
    "/lists/?q=an",
    "/forms/?wrong=1",
    "/texts/",
    "/asking/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/inactive/",
    "/plain/logout/",
    "/plain/password_change/?wrong=1",
    "/plain/password_reset_done/",
    "/plain/password_reset_from_key/?wrong=1",
    "/plain/password_reset_from_key/?expired=1",
    "/plain/password_reset_from_key_done/",
    "/plain/signup_closed/",
    "/errors/400/",
    "/errors/403/",
    "/errors/404/",
    "/errors/500/",
    "/errors/csrf/",
]
DASHBOARD = PAGES[:5]
PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 860}

# What the browser says about an answer that is not 2xx; the error pages are such answers.
EXPECTED_COMPLAINT = re.compile(r"Failed to load resource: the server responded with a status of [45]\d\d")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The style guide on a free port."""
    if not (PROJECT / "static/build/app.css").exists():
        pytest.fail("The front end is not built: run `make setup`, or `npm ci && npm run build`.")
    command = [sys.executable, str(PROJECT / "tests/ui/styleguide/serve.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser without cookies, as wide as a desk."""
    context = browser.new_context(base_url=address, viewport=DESKTOP, color_scheme="light")
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; whatever it complains about on the console fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert [text for text in complaints if not EXPECTED_COMPLAINT.match(text)] == []


def _violations(page: Page, *rules: str) -> list[str]:
    return [
        f"{rule['id']}: {rule['nodes'][0]['html']} {rule['nodes'][0]['failureSummary']}"
        for rule in violations(page, *rules)
    ]


@pytest.mark.pages
@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible_in_both_themes_and_fits_a_small_phone(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    assert _violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert _violations(page, "color-contrast") == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.pages
@pytest.mark.parametrize("path", DASHBOARD)
def test_page_is_accessible_at_200_percent(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 640, "height": 430})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 640
    assert _violations(page) == []


def test_no_page_carries_inline_style_or_script(page: Page) -> None:
    for path in DASHBOARD:
        response = page.request.get(path)
        html = response.text()
        assert not re.search(r"<[^>]+\s(style|on\w+)=", html), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
        assert "default-src 'self'" in response.headers["content-security-policy"]


def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_the_theme_is_chosen_once_and_stays(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Dark").click()
    assert _violations(page) == []
    page.goto("/lists/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert 'data-bs-theme="dark"' in page.request.get("/").text()


def test_without_a_choice_the_theme_follows_the_device(page: Page) -> None:
    page.goto("/texts/")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert _violations(page) == []


def test_the_menu_opens_on_a_phone_and_closes_with_escape(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/")
    contacts = page.get_by_role("navigation", name="Main").get_by_role("link", name="Contacts")
    expect(contacts).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(contacts).to_be_visible()
    assert _violations(page) == []
    page.keyboard.press("Escape")
    expect(contacts).to_be_hidden()


def test_a_question_comes_before_the_act(page: Page) -> None:
    page.goto("/asking/")
    page.get_by_role("button", name="Cancel campaign").click()
    question = page.get_by_role("dialog", name="Cancel this campaign?")
    assert _violations(page) == []
    question.get_by_role("button", name="Go back").click()
    expect(page.locator("#done")).to_have_text("")
    page.get_by_role("button", name="Cancel campaign").click()
    question.get_by_role("button", name="Cancel campaign").click()
    expect(page.locator("#done")).to_have_text("cancelled")


def test_a_large_count_has_to_be_typed(page: Page) -> None:
    page.goto("/asking/")
    page.get_by_role("button", name="Send to everyone").click()
    go_ahead = page.get_by_role("dialog").get_by_role("button", name="Send to everyone")
    expect(go_ahead).to_be_disabled()
    page.get_by_label("Type 1,240 to go ahead").fill("124")
    expect(go_ahead).to_be_disabled()
    page.get_by_label("Type 1,240 to go ahead").fill("1240")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("sent")


def test_a_link_asks_too(page: Page) -> None:
    page.goto("/asking/")
    page.get_by_role("link", name="A link").click()
    page.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile("/lists/$"))


def test_an_htmx_request_asks_and_the_server_answers_with_a_note(page: Page) -> None:
    page.goto("/asking/")
    page.get_by_role("button", name="With htmx").click()
    expect(page.get_by_text("Saved on the server.")).to_have_count(0)
    page.get_by_role("button", name="Yes, go ahead").click()
    expect(page.get_by_role("status").get_by_text("Saved on the server.")).to_be_visible()
    page.get_by_role("button", name="Close this note").click()
    expect(page.get_by_text("Saved on the server.")).to_have_count(0)


def test_a_failed_request_is_not_silent(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/asking/")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("Something went wrong on our side.")).to_be_visible()


def test_a_dialog_opens_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/asking/")
    opener = page.get_by_role("button", name="New appointment")
    opener.click()
    assert _violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_number_is_copied_in_e164(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/lists/")
    page.get_by_role("button", name="Copy (202) 555-0102").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "+12025550102"


def test_a_merge_tag_goes_where_the_cursor_is(page: Page) -> None:
    page.goto("/asking/")
    text = page.get_by_role("textbox", name="Text")
    text.evaluate("field => field.setSelectionRange(3, 3)")
    page.get_by_role("button", name="First name").click()
    expect(text).to_have_value("Hi {first_name}, how are you?")


def test_filters_apply_while_typing_and_keep_the_cursor(page: Page) -> None:
    page.goto("/lists/")
    expect(page.get_by_role("link", name="Clear filters")).to_have_count(0)
    search = page.get_by_role("searchbox", name="Search contacts by name or number")
    search.press_sequentially("ana")
    expect(page).to_have_url(re.compile(r"q=ana"))
    expect(search).to_be_focused()
    # As slow as a hand: leaving the field must not bring an answer that takes the link away under it.
    page.get_by_role("link", name="Clear filters").click(delay=600)
    expect(search).to_have_value("")


def test_wrong_answers_are_summed_up_and_focused(page: Page) -> None:
    page.goto("/forms/")
    page.get_by_role("button", name="Save").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Text", exact=True).click()
    expect(page.get_by_role("textbox", name="Text")).to_be_focused()


def test_shortcuts_work_outside_of_fields_and_can_be_turned_off(page: Page) -> None:
    page.goto("/texts/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Find a contact by name or number")
    expect(search).to_be_focused()
    page.keyboard.press("?")
    expect(search).to_have_value("?")
    search.blur()
    page.keyboard.press("?")
    page.get_by_label("Use keyboard shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(search).not_to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/texts/$"))


def test_two_keys_lead_to_a_page(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/lists/$"))


def test_progress_moves_without_a_reload(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#live-progress .meter-text")).not_to_have_text("3 of 100")


def test_animations_stop_for_people_who_ask_for_it(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    bar = page.locator("progress:not([value])").first
    assert bar.evaluate("bar => getComputedStyle(bar).animationIterationCount") == "1"
