"""Signing in with a second step, in a real browser: asked for by the owner, set up by the manager, by code and by passkey."""

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.product import Product

STEP_SECONDS = 30


def wait_for_next_code(page: Page) -> None:
    """An app shows another code every half minute, and each works once."""
    page.wait_for_timeout((STEP_SECONDS - time.time() % STEP_SECONDS + 1) * 1000)


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP_SECONDS)))


@pytest.fixture
def at_localhost(browser: Browser, product: Product) -> Iterator[Visitor]:
    """Under a name: browsers make no passkeys for an address of numbers. With a security key that needs no finger."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield Visitor(page, Product(**{**product.__dict__, "url": product.url.replace("127.0.0.1", "localhost")}))
    context.close()


@pytest.fixture(scope="module")
def manager_email(product: Product) -> str:
    """The demo's manager, with the owner's password."""
    email = "mona@demo.example"
    found = f"from tenants.models import User; user = User.objects.get(email='{email}')"
    product.manage("shell", "-v", "0", "-c", f"{found}; user.set_password('{product.password}'); user.save()")
    return email


def log_in(visitor: Visitor, email: str, password: str) -> None:
    visitor.open("/accounts/login/")
    visitor.page.get_by_label("E-mail").fill(email)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.page.get_by_role("button", name="Log in").click()
    visitor.page.wait_for_load_state()


def set_up_app(visitor: Visitor) -> str:
    """From the page of the picture to the recovery codes; the secret."""
    page = visitor.page
    page.get_by_role("heading", name="Set up an authenticator app").wait_for()
    visitor.check()
    picture = page.get_by_alt_text("The key below as a picture for the app")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    page.get_by_text("You cannot scan it?").click()
    secret = page.locator("#totp-key").inner_text()
    page.get_by_label("Code that the app shows").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("heading", name="Keep these recovery codes").wait_for()
    visitor.check()
    assert page.locator("#recovery-codes li").count() == 10
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a file").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert all(code in text for code in page.locator("#recovery-codes code").all_inner_texts())
    page.get_by_role("link", name="I have kept them, go on").click()
    return secret


def remove_app(visitor: Visitor) -> None:
    visitor.open("/account/app/remove/")
    visitor.page.get_by_role("button", name="Remove it").click()
    expect(visitor.page.get_by_text("Your authenticator app is removed.")).to_be_visible()


def test_a_passkey_is_added_and_signs_in(at_localhost: Visitor, product: Product) -> None:
    page = at_localhost.page
    log_in(at_localhost, product.email, product.password)
    at_localhost.open("/account/")
    at_localhost.check()
    page.get_by_role("link", name="Add a passkey").click()
    at_localhost.check()
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("heading", name="Keep these recovery codes").wait_for()
    at_localhost.open("/account/")
    expect(page.get_by_text("My phone").first).to_be_visible()
    at_localhost.check()

    # Without a password.
    page.context.clear_cookies()
    at_localhost.open("/accounts/login/")
    at_localhost.check()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Hello").wait_for()

    # After the password, as the second step.
    page.context.clear_cookies()
    log_in(at_localhost, product.email, product.password)
    page.get_by_role("heading", name="Second step").wait_for()
    at_localhost.check()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Hello").wait_for()

    at_localhost.open("/account/")
    page.get_by_role("link", name="Remove My phone").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()


def test_an_owner_asks_for_a_second_step_and_the_manager_sets_one_up(
    browser: Browser, product: Product, manager_email: str
) -> None:
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    owner, manager = (Visitor(context.new_page(), product) for context in contexts)
    owner.sign_in()
    owner.open("/settings/security/")
    owner.check()
    owner.page.get_by_role("main").get_by_role("link", name="Your account").click()
    owner.page.get_by_role("link", name="Set up an app").click()
    set_up_app(owner)
    owner.open("/settings/security/")
    owner.page.get_by_role("button", name="Ask for a second step").click()
    expect(owner.page.get_by_text("Owners and managers now need a second step.")).to_be_visible()
    owner.check()

    log_in(manager, manager_email, product.password)
    manager.page.get_by_role("heading", name="Set up a second step first").wait_for()
    expect(manager.page.get_by_text("asked for it on")).to_be_visible()
    manager.check()
    manager.open("/campaigns/")
    manager.page.get_by_role("heading", name="Set up a second step first").wait_for()
    manager.page.get_by_role("link", name="Authenticator app").click()
    secret = set_up_app(manager)
    manager.page.get_by_role("heading", name="Hello").wait_for()

    manager.page.context.clear_cookies()
    log_in(manager, manager_email, product.password)
    manager.page.get_by_role("heading", name="Second step").wait_for()
    manager.check()
    wait_for_next_code(manager.page)
    manager.page.get_by_label("Code").fill(code_of(secret))
    manager.page.get_by_role("button", name="Go on").click()
    manager.page.get_by_role("heading", name="Hello").wait_for()

    owner.open("/settings/security/")
    owner.page.get_by_role("button", name="No longer ask for it").click()
    owner.page.locator("#confirm-dialog").get_by_role("button", name="No longer ask for it").click()
    expect(owner.page.get_by_text("A second step is now up to each person.").first).to_be_visible()
    remove_app(owner)
    remove_app(manager)
    for context in contexts:
        context.close()
