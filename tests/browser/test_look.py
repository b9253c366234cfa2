"""How the example page looks: on a phone and a desk, by day and by night. The pictures are kept to be looked at."""

import pytest


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 760])
def test_the_page_fits_every_width(browser, backend, artifacts, width, scheme):
    page = browser.open(backend.url, width=width, scheme=scheme)
    page.wait_for("#radio", "Silence")
    backend.stop()
    page.click("#next")
    page.wait_for("#problem", "does not answer")
    page.screenshot(artifacts / f"page-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
