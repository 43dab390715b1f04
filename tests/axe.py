"""Accessibility findings of a page, by axe-core in the browser that shows it."""

import json
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

__all__ = ["FADED", "violations"]

FADED: Final = """(async () => {
    const soon = (milliseconds, promise) => Promise.race([promise, new Promise(done => setTimeout(done, milliseconds))]);
    const frame = () => soon(200, new Promise(requestAnimationFrame));
    const until = performance.now() + 3000;
    await frame();
    while (performance.now() < until) {
        await frame();
        const fading = document.getAnimations().filter(
            each => each.playState !== "finished" && each.effect.getComputedTiming().endTime !== Infinity);
        if (!fading.length) return;
        await soon(500, Promise.all(fading.map(each => each.finished.catch(() => null))));
    }
})()"""
"""Waits until what changes its colour has changed it, and what inherits that colour too; what moves for ever is not waited
for, nor what does not move while the browser paints nothing."""


def violations(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What breaks the named rules, or any rule.

    Only violations leave the browser: all that axe found in order is megabytes of markup, which took as long as
    looking for it. Without preloading, because axe would write the style sheets into the page, which the content
    security policy rightly refuses.
    """
    options = {"preload": False, "resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    # Once a page: the second time its code is compiled already, and runs twice as fast.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(f"axe.run({json.dumps(options)}).then(found => found.violations)")
    return found
