"""The platform admin in a real browser, its kinds of pages in light and dark: nothing breaks the content security policy, all can be read."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visitor
from tests.product import Product

ADA = """
from django.test import Client
from tests.platform_admin import ada
client = Client()
ada(client)
print("session:", client.session.session_key)
"""
LISTS = (
    "tenants/user",
    "tenants/membership",
    "tenants/auditentry",
    "contacts/contact",
    "contacts/contactimport",
    "consent/consentrecord",
    "consent/suppression",
    "consent/possibleoptout",
    "messaging/provideraccount",
    "messaging/sender",
    "messaging/senderregistration",
    "messaging/message",
    "messaging/attempt",
    "messaging/inboundmessage",
)
LOOKED_INTO = ("tenants/user", "contacts/contact", "consent/consentrecord", "messaging/sender", "messaging/message")
"""Whose rows are opened too: one of each kind of page."""


@pytest.fixture
def ada(browser: Browser, product: Product) -> Iterator[Visitor]:
    """Ada at her desk, signed in."""
    session = re.search(r"session: (\S+)", product.manage("shell", "-v", "0", "-c", ADA))
    assert session
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.add_cookies([{"name": "session", "value": session.group(1), "url": product.url}])
    yield Visitor(context.new_page(), product)
    context.close()


@pytest.mark.pages
def test_every_page_holds_up(ada: Visitor) -> None:
    page = ada.page
    ada.open("/admin/")
    ada.check_in_both()
    ada.open("/admin/tenants/tenant/")
    ada.check_in_both()
    page.get_by_label("Select this object for an action").first.check()
    page.get_by_label("Action:").select_option("suspend")
    page.get_by_role("button", name="Go", exact=True).click()
    page.get_by_role("button", name="Yes, do it").wait_for()
    ada.check_in_both()
    page.get_by_role("link", name="No, go back").click()
    page.get_by_role("link", name="Harbor Street Clinic").click()
    ada.check_in_both()
    page.get_by_role("button", name="Work on its data").click()
    for path in LISTS:
        ada.open(f"/admin/{path}/")
        ada.check()
        first = page.locator("#result_list th a").first
        if path in LOOKED_INTO and first.count():
            first.click()
            ada.check()
            hidden = page.get_by_role("link", name="Show what is hidden")
            if hidden.count():
                hidden.click()
                ada.check()
    ada.open("/admin/messaging/senderregistration/add/")
    ada.check()
