// The frame around the pages: which page is shown, the way to the others, and what stands above all of them.
import { get } from "./api.js";
import { isConnected, live, watchConnection } from "./live.js";
import { applyTheme } from "./theme.js";
import { Heading, Notes, useLoad } from "./ui.js";
import { html, render, useEffect, useState } from "./vendor/preact.js";
import { language, register, t } from "./words.js";

register({
  en: {
    "nav": "Pages",
    "nav.home": "Home",
    "nav.memories": "Memories",
    "nav.decide": "To decide",
    "nav.conversations": "Conversations",
    "nav.pictures": "Pictures",
    "nav.ask": "Ask",
    "nav.clients": "Clients",
    "nav.models": "Models",
    "nav.forget": "Forget",
    "nav.settings": "Settings",
    "nav.backup": "Backup",
    "skip": "To the page",
    "menu": "Menu",
    "profile": "Profile",
    "lost": "Satchel isn't responding. What you see may be out of date. Trying again …",
    "signed-out": "This browser no longer has access. Run `satchel open` in a terminal.",
    "nowhere": "There is no such page.",
  },
  zh: {
    "nav": "页面",
    "nav.home": "主页",
    "nav.memories": "记忆",
    "nav.decide": "待决定",
    "nav.conversations": "对话",
    "nav.pictures": "图表",
    "nav.ask": "提问",
    "nav.clients": "客户端",
    "nav.models": "模型",
    "nav.forget": "忘记",
    "nav.settings": "设置",
    "nav.backup": "备份",
    "skip": "跳到页面",
    "menu": "菜单",
    "profile": "档案",
    "lost": "Satchel 没有响应。所见内容可能已过时；正在重试。",
    "signed-out": "此浏览器已不再获准访问。请在终端运行 satchel open。",
    "nowhere": "没有这个页面。",
  },
});

const PAGES = ["home", "memories", "decide", "conversations", "pictures", "ask", "clients", "models", "forget", "settings", "backup"];
/** Pages whose style is loaded, or that have none of their own. */
const UNSTYLED = new Set(["home", "backup"]);
const PROFILE = "satchel.profile";
/** While much is read, something happens all the time; a profile is new but seldom. */
const PROFILES_MS = 5_000;

/** A segment as it was meant; one that is no encoding, as it stands. @param {string} segment */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The address behind the #: `#/memories/ID?q=tea`. */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return { page: name || "home", rest: rest.map(decoded), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** A page's own style, in force before the page is drawn. @param {string} page */
function style(page) {
  const name = page === "models" ? "clients" : page; // these two look alike
  if (!UNSTYLED.has(name)) {
    UNSTYLED.add(name);
    return new Promise((resolve, reject) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `/dashboard/pages/${name}.css` });
      link.onload = resolve;
      link.onerror = () => {
        UNSTYLED.delete(name);
        link.remove();
        reject(new Error(link.href));
      };
      document.head.append(link);
    });
  }
  return undefined;
}

/** A page's component. @param {string} name @param {number} tries browsers may remember that a module failed to load */
async function load(name, tries) {
  if (!PAGES.includes(name)) {
    return Nowhere;
  }
  const [module] = await Promise.all([import(`./pages/${name}.js${tries ? `?${tries}` : ""}`), style(name)]);
  return module.default;
}

function App() {
  const [where, setWhere] = useState(route);
  const [shown, setShown] = useState(/** @type {{name: string, Page: any} | null} */ (null));
  const [tries, setTries] = useState(0);
  const [connected, setConnected] = useState(isConnected());
  const [signedOut, setSignedOut] = useState(false);
  const [open, setOpen] = useState(false);
  const [profile, setProfile] = useState(localStorage.getItem(PROFILE) ?? "me");
  const found = useLoad((signal) => get("/v1/profiles", {}, signal), [], ["memory"], PROFILES_MS); // what is wrong, the page itself says
  const profiles = [...new Set([profile, ...(found.data?.profiles ?? []).map((/** @type {any} */ one) => one.name)])];

  useEffect(() => {
    const move = () => {
      setWhere(route());
      setOpen(false);
    };
    addEventListener("hashchange", move);
    addEventListener("signed-out", () => setSignedOut(true));
    move(); // the address may have changed between the first drawing and now
    const watching = watchConnection(() => setConnected(isConnected()));
    void live();
    return () => {
      removeEventListener("hashchange", move);
      watching();
    };
  }, []);

  useEffect(() => {
    document.title = PAGES.includes(where.page) ? `${t(`nav.${where.page}`)} · Satchel` : "Satchel";
    let left = false;
    const show = (/** @type {any} */ Page) => left || setShown({ name: where.page, Page });
    load(where.page, tries).then(show, () => show(() => html`<${Unloaded} again=${() => setTries(tries + 1)} />`));
    return () => {
      left = true;
    };
  }, [where.page, tries]);

  const choose = (/** @type {string} */ name) => {
    localStorage.setItem(PROFILE, name);
    setProfile(name);
  };

  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      document.querySelector("main")?.focus();
    }}>${t("skip")}</a>
    <aside class=${open ? "open" : ""}>
      <div class="brand">
        <a href="#/">Satchel</a>
        <button class="menu" aria-expanded=${open} aria-controls="nav" onClick=${() => setOpen(!open)}>${t("menu")}</button>
      </div>
      <nav id="nav" aria-label=${t("nav")}>
        ${PAGES.map((name) => html`<a href=${`#/${name}`} aria-current=${name === where.page ? "page" : undefined}>${t(`nav.${name}`)}</a>`)}
        ${profiles.length > 1 && !signedOut && html`<label class="profile">${t("profile")}
          <select value=${profile} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
            ${profiles.map((name) => html`<option value=${name}>${name}</option>`)}
          </select>
        </label>`}
      </nav>
    </aside>
    <main tabindex="-1" data-page=${where.page}>
      ${signedOut && html`<div class="card warn" role="alert"><p>${t("signed-out")}</p></div>`}
      ${!connected && !signedOut && html`<div class="card warn" role="alert"><p>${t("lost")}</p></div>`}
      ${!signedOut && shown?.name === where.page && html`<${shown.Page} key=${`${where.page} ${profile}`} profile=${profile} rest=${where.rest} query=${where.query} />`}
    </main>
    <${Notes} />
  `;
}

const Nowhere = () => html`<h1>${t("nowhere")}</h1>`;

const Unloaded = (/** @type {any} */ { again }) => html`<${Heading}>${t("no-answer")}<//>
  <p><button onClick=${again}>${t("retry")}</button></p>`;

applyTheme();
document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
render(html`<${App} />`, document.body);
