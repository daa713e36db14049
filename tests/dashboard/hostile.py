"""What pages, documents and clients may plant in anything that is shown: it stays text, and breaks no layout."""

from __future__ import annotations

from playwright.sync_api import Page

HOSTILE = (
    "<img src=x onerror=\"document.title='broken in'\">",
    "</pre><script>document.title='broken in'</script>",
    "invoice\u202egpj.exe\u202c and \u2066hidden\u2069",
    "W" * 300,
    "{{constructor.constructor('return 1')()}} ${t('x')} &lt;b&gt;",
    "שלום עולם, this goes both ways",
    "a b " * 2_400,
)


def no_sideways(page: Page) -> None:
    """Nothing is wider than the window, and nothing that was planted has run."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} px wider than the window"
    assert "broken in" not in page.title()
