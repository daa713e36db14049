"""The product in one test: said on one site, known on another."""

from __future__ import annotations

from api.running import Running
from extension.chrome import Chrome
from extension.test_capture import logged
from extension.test_inject import squeezed


def test_what_was_said_on_chatgpt_is_in_what_claude_receives(browser: Chrome, daemon: Running, profile: str) -> None:
    for host in ("chatgpt.com", "claude.ai"):
        browser.set_site(host, profile=profile, mode=None)
    first = browser.driver("chatgpt")
    first.site.next_answer.append("Then let me look for direct trains.")
    first.open()
    first.send("I live in Porto and I prefer trains to planes. How do I get to the sea on Sunday?")
    logged(daemon, profile, 2)
    browser.until(
        lambda: daemon.ok("GET", "/v1/memories", params={"profile": profile})["total"], seconds=90, what="a memory"
    )
    browser.until(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the index")
    first.page.close()

    second = browser.driver("claude")
    second.site.received.clear()
    overlay = browser.overlay(second)
    question = "How should I travel to Berlin next week, by train or by plane?"
    second.open()
    second.type(question)
    overlay.wait(".chip .label", saying="fit")
    overlay.open_preview()
    block = overlay.block()
    inserted = set(overlay.attributes("li", "data-id"))
    assert inserted
    assert "trains to planes" in block
    overlay.click(".panel .primary")
    overlay.wait(".chip .label", saying="inserted")
    second.press_send()
    (received,) = second.site.received
    assert squeezed(received["text"]) == squeezed(f"{block}\n\n{question}")
    turns = logged(daemon, profile, 2, conversation=received["conversation"])
    assert turns[0]["content"] == question

    # The report of what went in names the conversation that began with it: there it is not offered again.
    def is_given() -> bool:
        body = {"profile": profile, "query": question, "site": "claude.ai", "external_id": received["conversation"]}
        return not inserted & {hit["id"] for hit in daemon.ok("POST", "/v1/context", body)["hits"]}

    browser.until(is_given, what="the report of the insertion")
    second.page.close()
