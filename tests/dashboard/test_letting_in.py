"""How a browser comes to see the dashboard, and what does not let it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from api.running import Running, command
from dashboard.looking import Looking

Look = Callable[..., Looking]


def session(house: Running) -> tuple[str, dict[str, str]]:
    """A browser's cookie, and the headers of its page's requests."""
    code = house.ok("POST", "/v1/dashboard/links")["code"]
    given = httpx.post(
        f"{house.url}/v1/dashboard/sessions",
        json={"code": code},
        headers={"Origin": house.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert given.status_code == 200, given.text
    cookie = f"satchel-{house.port}={given.cookies[f'satchel-{house.port}']}"
    return cookie, {"Cookie": cookie, "X-Satchel-Page": given.json()["key"], "Sec-Fetch-Site": "same-origin"}


def test_the_link_opens_the_dashboard_once(look: Look, house: Running) -> None:
    looking = look(house)
    expect(looking.page.locator("nav a").first).to_be_visible()
    link = command("open", "--data", house.data, "--url").stdout.strip()
    looking.page.goto(link)
    looking.page.wait_for_url(f"{house.url}/")
    tab = looking.new_tab()
    tab.goto(link)
    expect(tab.get_by_role("status")).to_contain_text("satchel open")
    looking.wrong = [one for one in looking.wrong if "410" not in one]


def test_a_browser_that_is_let_in_again_is_listed_once(look: Look, house: Running) -> None:
    looking = look(house)
    before = [one["id"] for one in house.ok("GET", "/v1/clients")["items"]]
    looking.let_in()
    after = [one["id"] for one in house.ok("GET", "/v1/clients")["items"]]
    assert len(after) == len(before)
    assert after[:-1] == before[:-1]


def test_the_code_does_not_stay_in_the_address_or_the_history(look: Look, house: Running) -> None:
    looking = look(house)
    link = command("open", "--data", house.data, "--url").stdout.strip()
    tab = looking.new_tab()
    tab.goto(link)
    tab.wait_for_url(f"{house.url}/")
    assert "#" not in tab.url
    assert tab.evaluate("history.length") <= 2


def test_a_browser_that_was_not_let_in_is_told_what_to_do(look: Look, house: Running) -> None:
    looking = look(house)
    looking.context.clear_cookies()
    looking.page.goto(f"{house.url}/?again")
    expect(looking.page.locator("code").first).to_have_text("satchel open")
    looking.wrong.clear()


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(look: Look, house: Running) -> None:
    looking = look(house)
    (cookie,) = looking.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert looking.page.evaluate("document.cookie") == ""


def test_the_cookie_alone_reads_nothing(house: Running) -> None:
    """Any other port of this machine is sent it, too."""
    cookie, headers = session(house)
    assert httpx.get(f"{house.url}/v1/memories", headers=headers).status_code == 200
    for wrong in ({"Cookie": cookie}, {**headers, "X-Satchel-Page": "w" * 43}, {**headers, "Cookie": "satchel-1=x"}):
        assert httpx.get(f"{house.url}/v1/memories", headers=wrong).status_code == 401
    secret = cookie.partition("=")[2]
    as_token = httpx.get(f"{house.url}/v1/memories", headers={"Authorization": f"Bearer {secret}"})
    assert as_token.status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "http://localhost:{port}"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_no_other_page_may_ask_in_its_name(house: Running, elsewhere: dict[str, str]) -> None:
    _, headers = session(house)
    asked = headers | {name: value.format(port=house.port) for name, value in elsewhere.items()}
    body = {"text": "Planted."}
    assert httpx.post(f"{house.url}/v1/memories", headers=asked, json=body).status_code in (401, 403)


def test_a_change_without_the_pages_origin_is_refused(house: Running) -> None:
    _, headers = session(house)
    answer = httpx.post(f"{house.url}/v1/memories", headers=headers, json={"text": "Planted."})
    assert answer.status_code == 403
    with_origin = headers | {"Origin": house.url}
    assert httpx.post(f"{house.url}/v1/recall", headers=with_origin, json={"query": "x"}).status_code == 200


def test_the_browser_keeps_no_answer_in_its_files(house: Running) -> None:
    _, headers = session(house)
    assert httpx.get(f"{house.url}/v1/memories", headers=headers).headers["cache-control"] == "no-store"


def test_only_who_may_do_everything_can_open_it(house: Running) -> None:
    for narrowed in (("--profile", "me"), ("--scope", "manage")):
        token = house.new_token(*narrowed)
        assert house.call("POST", "/v1/dashboard/links", token=token).status_code == 403


def test_a_browser_cannot_let_in_another(house: Running) -> None:
    _, headers = session(house)
    asked = httpx.post(f"{house.url}/v1/dashboard/links", headers=headers | {"Origin": house.url})
    assert asked.status_code == 403


def test_another_ports_cookie_does_not_lock_it_out(house: Running) -> None:
    """Cookies of 127.0.0.1 are one jar: whatever else serves pages there can put some of its own beside ours."""
    cookie, headers = session(house)
    name = cookie.partition("=")[0]
    for beside in (f"x={name}=y", f"{name}=forged", f"{name}=", f"x{name}=y"):
        for jar in (f"{beside}; {cookie}", f"{cookie}; {beside}"):
            asked = httpx.get(f"{house.url}/v1/profiles", headers=headers | {"Cookie": jar})
            assert asked.status_code == 200, jar


def test_a_revoked_browser_is_let_in_no_more_and_says_so(look: Look, house: Running) -> None:
    looking = look(house)
    mine = [one for one in house.ok("GET", "/v1/clients")["items"] if "dashboard in" in one["name"]][-1]
    house.ok("DELETE", f"/v1/clients/{mine['id']}")
    looking.page.goto(f"{house.url}/#/memories")
    expect(looking.page.get_by_role("alert").filter(has_text="satchel open")).to_be_visible()
    looking.wrong.clear()


def test_signing_out_leaves_nothing(house: Running) -> None:
    _, headers = session(house)
    before = len(house.ok("GET", "/v1/clients")["items"])
    with_origin = headers | {"Origin": house.url}
    assert httpx.delete(f"{house.url}/v1/dashboard/sessions", headers=with_origin).status_code == 200
    assert httpx.get(f"{house.url}/v1/memories", headers=headers).status_code == 401
    assert len(house.ok("GET", "/v1/clients")["items"]) == before - 1


def test_pages_come_with_a_strict_policy_and_hold_nothing_private(house: Running) -> None:
    cookie, _ = session(house)
    for path in ("/", "/dashboard/app.js", "/dashboard/style.css"):
        assert httpx.get(f"{house.url}{path}").status_code == (200 if path.endswith("style.css") else 401)
        answer = httpx.get(f"{house.url}{path}", headers={"Cookie": cookie})
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        again = httpx.get(f"{house.url}{path}", headers={"Cookie": cookie, "If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
