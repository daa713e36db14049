// Hands in the code of `satchel open`, which stands behind the # so that no log and no other site is told of it.
import { keepKey } from "./key.js";

const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const said = /** @type {HTMLElement} */ (document.getElementById("said"));
// As words.js has it, which is given only to those who are let in.
const chosen = localStorage.getItem("satchel.language");
const chinese = chosen ? chosen === "zh" : navigator.language.toLowerCase().startsWith("zh");

async function open() {
  const response = await fetch("/v1/dashboard/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (response.ok) {
    keepKey((await response.json()).key);
    location.replace("/");
    return;
  }
  said.textContent = chinese
    ? "此链接已用过或已失效。请重新运行 satchel open。"
    : "This link was used, or is older than a minute. Run `satchel open` again.";
}

open().catch(() => {
  said.textContent = chinese ? "Satchel 没有响应。它在运行吗？" : "Satchel isn't responding. Is it running?";
});
