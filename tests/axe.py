"""Accessibility findings of a page, by axe-core in the browser that shows it."""

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

__all__ = ["violations"]


def violations(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What breaks the named rules, or any rule.

    Only violations leave the browser: all that axe found in order is megabytes of markup, which took as long as
    looking for it. Without preloading, because axe would write the style sheets into the page, which the content
    security policy rightly refuses.
    """
    options = {"preload": False, "resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(f"axe.run({json.dumps(options)}).then(found => found.violations)")
    return found
