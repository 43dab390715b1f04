"""Every page, on a phone in dark and at a desk in light: accessible, without complaints, nothing wider than the screen."""

import re

import pytest

from tests.browser.conftest import DESK, Visitor

STEADY = (
    "/",
    "/inbox/",
    "/contacts/",
    "/contacts/?q=nobody-is-called-so",
    "/contacts/add/",
    "/contacts/lists/",
    "/contacts/filters/new/",
    "/contacts/import/",
    "/contacts/jobs/",
    "/contacts/duplicates/",
    "/contacts/bulk/?kind=export&everyone=1",
    "/inbox/review/",
    "/campaigns/",
    "/campaigns/new/",
    "/settings/business/",
    "/settings/team/",
    "/settings/fields/",
    "/settings/countries/",
    "/settings/trial/",
    "/new-account/",
    "/settings/security/",
    "/settings/senders/",
    "/settings/senders/accounts/add/?provider=telnyx",
    "/settings/health/",
    "/settings/templates/",
    "/settings/templates/new/",
    "/settings/compliance/",
    "/settings/compliance/limits/marketing/",
    "/settings/compliance/rules/marketing/",
    "/settings/compliance/spending/",
    "/settings/compliance/opt-outs/",
    "/settings/compliance/opt-outs/list/",
    "/settings/ledger/",
    "/settings/ledger/retention/",
    "/ledger/keys/",
    "/settings/compliance/double-opt-in/",
    "/settings/compliance/expiry/marketing/",
    "/settings/compliance/numbers/",
    "/settings/compliance/changed-numbers/",
    "/settings/audit/",
    "/switch/",
    "/account/",
    "/account/address/",
    "/account/app/",
    "/account/passkeys/add/",
    "/accounts/confirm/",
    "/accounts/password/change/",
    "/phones/",
)
FOLLOWED = (
    ("/contacts/", r"/contacts/[0-9a-f-]{36}/$"),
    ("/campaigns/", r"/campaigns/[0-9a-f-]{36}/$"),
    ("/inbox/", r"/inbox/[0-9a-f-]{36}/"),
    ("/settings/templates/", r"/settings/templates/[0-9a-f-]{36}/$"),
    ("/settings/senders/", r"/settings/senders/[0-9a-f-]{36}/pace/$"),
    ("/phones/", r"/phones/(\+|%2B)\d+/$"),
)


def _first_link(visitor: Visitor, pattern: str) -> str:
    links = visitor.page.eval_on_selector_all("a[href]", "found => found.map(a => a.href)")
    return next(link for link in links if re.search(pattern, link))


@pytest.mark.pages
def test_every_page_holds_up(anywhere: Visitor) -> None:
    anywhere.sign_in()
    for path in STEADY:
        anywhere.open(path)
        anywhere.check_anywhere()
    for start, pattern in FOLLOWED:
        anywhere.open(start)
        anywhere.open(_first_link(anywhere, pattern))
        anywhere.check_anywhere()
    anywhere.open("/phones/")
    anywhere.page.locator("summary", has_text="Network weather").click()
    anywhere.page.get_by_role("button", name="Change the weather").wait_for()
    anywhere.check_anywhere()
    anywhere.open("/contacts/")
    contact = _first_link(anywhere, r"/contacts/[0-9a-f-]{36}/$")
    for more in ("edit/", "opt-in/", "notes/", "erase/"):
        anywhere.open(contact + more)
        anywhere.check_anywhere()
    anywhere.open("/contacts/import/")
    page, content = anywhere.page, b"phone,first name\n+12025550142,Ann\n12345,Bad\n"
    page.set_input_files("input[type=file]", {"name": "looked-at.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("heading", name="looked-at.csv").wait_for()
    anywhere.check_anywhere()
    page.get_by_role("radio", name="No documented agreement").check()
    page.get_by_role("button", name="Check 2 rows").click()
    page.get_by_role("heading", name="What will happen").wait_for()
    anywhere.check_anywhere()


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_signing_in_holds_up(anywhere: Visitor, path: str) -> None:
    """These pages take the colours once, when they are loaded."""
    anywhere.open(path)
    anywhere.check()
    anywhere.page.set_viewport_size(DESK)
    anywhere.page.emulate_media(color_scheme="light")
    anywhere.open(path)
    anywhere.check()


def test_a_page_that_does_not_exist_says_so(visitor: Visitor) -> None:
    visitor.sign_in()
    answer = visitor.page.goto(f"{visitor.product.url}/contacts/00000000-0000-0000-0000-000000000000/")
    assert answer is not None
    assert answer.status == 404
    assert visitor.page.get_by_role("link").count() > 0
