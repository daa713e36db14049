"""What was forgotten on the daemon's side goes from the extension's own store as well."""

from __future__ import annotations

from typing import Any

from api.running import Running
from extension.chrome import Chrome
from extension.driver import Driver
from extension.test_capture import logged

KEPT = """async () => {
  const open = indexedDB.open("satchel");
  const db = await new Promise((done, fail) => { open.onsuccess = () => done(open.result); open.onerror = fail; });
  const all = async (name) => {
    const request = db.transaction(name).objectStore(name).getAll();
    return new Promise((done) => { request.onsuccess = () => done(request.result); });
  };
  const kept = [...await all("seen"), ...await all("outbox"), ...await all("refused")];
  db.close();
  return kept;
}"""


def captured(browser: Chrome, daemon: Running, profile: str) -> tuple[Driver, dict[str, Any]]:
    """A chat with two turns, and its conversation in the daemon."""
    driver = browser.driver("chatgpt")
    browser.set_site(driver.site.hosts[0], profile=profile)
    driver.open()
    driver.send("I keep Wyverns in the cellar of my house")
    assert len(logged(daemon, profile, 2)) == 2
    (chat,) = daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]
    return driver, chat


def test_what_was_seen_of_a_forgotten_conversation_goes_when_the_daemon_tells_of_it(
    browser: Chrome, daemon: Running, profile: str
) -> None:
    driver, chat = captured(browser, daemon, profile)
    own = browser.own("options.html")  # asking the worker would be a contact of its own

    def kept() -> list[Any]:
        return [one for one in own.evaluate(KEPT) if one["conversation"] == chat["external_id"]]

    driver.type("What do I keep in the cellar?")
    assert kept()
    daemon.ok("POST", "/v1/forget", {"conversation": chat["id"], "preview": False})
    browser.until(lambda: not kept(), what="the end of what was kept")
    own.close()
    driver.page.close()


def test_what_was_seen_of_a_forgotten_conversation_goes_at_the_next_contact(
    browser: Chrome, daemon: Running, profile: str
) -> None:
    driver, chat = captured(browser, daemon, profile)

    def kept() -> list[Any]:
        rows = [one for one in browser.run(KEPT) if one["conversation"] == chat["external_id"]]
        assert "wyvern" not in str(rows).lower()
        return rows

    assert len(kept()) >= 2
    daemon.ok("POST", "/v1/forget", {"conversation": chat["id"], "preview": False})
    browser.ask({"do": "state"})
    browser.until(lambda: not kept(), what="the end of what was kept")
    driver.send("And I keep bees")
    assert [turn["content"] for turn in logged(daemon, profile, 2)] == ["And I keep bees", "Noted."]
    assert kept()
    driver.page.close()
