// Who may ask: pairing with the code that a client shows, and every client with what it may.
import { at, call, get } from "../api.js";
import { keepKey } from "../key.js";
import { listen } from "../live.js";
import { Dialog, Empty, Heading, Loading, attempt, say, sentence, useLoad } from "../ui.js";
import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { count, day, moment, register, t } from "../words.js";

register({
  en: {
    "clients.title": "Who may ask Satchel",
    "clients.pair": "Let in another",
    "clients.pair.how": "The extension, or another program, shows a code when it wants to be let in. Type it here.",
    "clients.code": "Code",
    "clients.look": "Who is it?",
    "clients.waits": "Somebody waits to be let in. Type the code that it shows.",
    "clients.code.wrong": "Nobody waits with this code. Compare it with what the extension shows. A code holds for five minutes: if yours is older, let the extension ask again.",
    "clients.code.limit": "Too many wrong codes were typed. Wait five minutes, then type the code that is shown by then.",
    "clients.code.over": "It did not wait any longer. Let the extension ask again, and type the new code.",
    "clients.code.empty": "Type the code that is shown, eight letters.",
    "clients.asks": "Let this one in?",
    "clients.asks.name": "It calls itself",
    "clients.asks.from": "It comes from",
    "clients.asks.program": "a program on this computer; it says so itself, and anybody can choose a name",
    "clients.asks.extension": "The browser vouches for where it comes from: its list of extensions shows the same ID. Anybody can choose a name.",
    "clients.asks.until": (/** @type {string} */ time) => `The code holds until ${time}.`,
    "clients.may": "It may",
    "clients.scope.capture": "save what is said in chats",
    "clients.scope.recall": "ask what is remembered",
    "clients.scope.manage": "see, change and forget everything",
    "clients.profiles": "In the profiles",
    "clients.profiles.all": "all, later ones too",
    "clients.profiles.some": "only these",
    "clients.refuse": "Refuse",
    "clients.let-in": "Let it in",
    "clients.let-in.done": (/** @type {string} */ name) => `${name} is let in. It collects its key by itself.`,
    "clients.refused": "Refused. It gets nothing.",
    "clients.none": "Nobody is let in yet",
    "clients.none.next": "Open the extension in your browser, let it show its code, and type it above.",
    "clients.in": "Who is let in",
    "clients.kind.extension": "Extension",
    "clients.kind.program": "Program",
    "clients.kind.dashboard": "Dashboard in a browser",
    "clients.kind.command-line": "Command line",
    "clients.this": "This browser",
    "clients.used": (/** @type {string} */ when) => `last asked ${when}`,
    "clients.unused": "never asked",
    "clients.since": (/** @type {string} */ when) => `let in ${when}`,
    "clients.revoked-at": (/** @type {string} */ when) => `access removed ${when}`,
    "clients.everything": "everything",
    "clients.rename": "Rename …",
    "clients.narrow": "Allow less …",
    "clients.revoke": "Remove access …",
    "clients.sign-out": "Sign out …",
    "clients.own": "It is Satchel's own, in your terminal.",
    "clients.rename.title": "Rename",
    "clients.rename.name": "Name",
    "clients.rename.done": "Renamed.",
    "clients.narrow.title": (/** @type {string} */ name) => `What may ${name} still do?`,
    "clients.narrow.means": "It holds at once. More can be allowed again only by letting it in anew, with a new code.",
    "clients.narrow.do": "Allow only this",
    "clients.narrow.done": "It may do less now.",
    "clients.nothing-chosen": "Choose at least one thing that it may do, and one profile. To allow nothing, remove its access instead.",
    "clients.revoke.title": (/** @type {string} */ name) => `Remove ${name}'s access?`,
    "clients.revoke.means": "Satchel does not answer it any more, from now on. What it saved stays. To ask again it must be let in anew, with a new code.",
    "clients.revoke.browser": "The dashboard in that browser shows nothing any more, from now on. To open it there again, run `satchel open`.",
    "clients.revoke.do": "Remove access",
    "clients.revoke.done": (/** @type {string} */ name) => `${name} no longer has access.`,
    "clients.sign-out.title": "Sign this browser out?",
    "clients.sign-out.means": "This page shows nothing any more. To open it again, run this in a terminal:",
    "clients.sign-out.do": "Sign out",
    "clients.revoked": (/** @type {number} */ n) => `Access removed earlier (${count(n)})`,
    "clients.more": (/** @type {number} */ n) => `and ${count(n)} more`,
  },
  zh: {
    "clients.title": "谁可以访问 Satchel",
    "clients.pair": "允许新的客户端",
    "clients.pair.how": "扩展或其他程序想要获准时会显示一个代码。请在这里输入。",
    "clients.code": "代码",
    "clients.look": "看看是谁",
    "clients.waits": "有客户端在等待获准。请输入它显示的代码。",
    "clients.code.wrong": "没有客户端在等待这个代码。请与扩展显示的代码核对。代码五分钟内有效：如果已超过，请让扩展重新请求。",
    "clients.code.limit": "输错代码的次数过多。请等五分钟，再输入届时显示的代码。",
    "clients.code.over": "它已不再等待。请让扩展重新请求，并输入新的代码。",
    "clients.code.empty": "请输入显示的代码，共八个字母。",
    "clients.asks": "允许它吗？",
    "clients.asks.name": "它自称",
    "clients.asks.from": "它来自",
    "clients.asks.program": "这台电脑上的程序；名称由它自己填写，任何程序都可以随意取名",
    "clients.asks.extension": "来源由浏览器担保：浏览器的扩展列表中会显示同一 ID。名称则可以随意取。",
    "clients.asks.until": (/** @type {string} */ time) => `代码在 ${time} 之前有效。`,
    "clients.may": "它可以",
    "clients.scope.capture": "保存聊天中说的话",
    "clients.scope.recall": "询问记住的内容",
    "clients.scope.manage": "查看、更改和忘记一切",
    "clients.profiles": "适用的档案",
    "clients.profiles.all": "全部，包括以后新增的",
    "clients.profiles.some": "仅限这些",
    "clients.refuse": "拒绝",
    "clients.let-in": "允许",
    "clients.let-in.done": (/** @type {string} */ name) => `已允许 ${name}。它会自行领取密钥。`,
    "clients.refused": "已拒绝。它什么也得不到。",
    "clients.none": "还没有获准的客户端",
    "clients.none.next": "在浏览器中打开扩展，让它显示代码，再输入到上方。",
    "clients.in": "已获准",
    "clients.kind.extension": "扩展",
    "clients.kind.program": "程序",
    "clients.kind.dashboard": "浏览器中的面板",
    "clients.kind.command-line": "命令行",
    "clients.this": "此浏览器",
    "clients.used": (/** @type {string} */ when) => `最近询问：${when}`,
    "clients.unused": "从未询问",
    "clients.since": (/** @type {string} */ when) => `获准于${when}`,
    "clients.revoked-at": (/** @type {string} */ when) => `撤销于${when}`,
    "clients.everything": "一切",
    "clients.rename": "重命名……",
    "clients.narrow": "缩小权限……",
    "clients.revoke": "撤销……",
    "clients.sign-out": "退出……",
    "clients.own": "这是 Satchel 自己在终端中使用的。",
    "clients.rename.title": "重命名",
    "clients.rename.name": "名称",
    "clients.rename.done": "已重命名。",
    "clients.narrow.title": (/** @type {string} */ name) => `${name} 还可以做什么？`,
    "clients.narrow.means": "立即生效。要重新放宽，只能用新代码再次允许它。",
    "clients.narrow.do": "只允许这些",
    "clients.narrow.done": "权限已缩小。",
    "clients.nothing-chosen": "请至少选择一项权限和一个档案。如果什么都不允许，请撤销它。",
    "clients.revoke.title": (/** @type {string} */ name) => `撤销 ${name}？`,
    "clients.revoke.means": "从现在起 Satchel 不再回答它。它保存过的内容会保留。要再次询问，必须用新代码重新允许。",
    "clients.revoke.browser": "从现在起，那个浏览器中的面板不再显示任何内容。要在那里重新打开，请运行 satchel open。",
    "clients.revoke.do": "撤销",
    "clients.revoke.done": (/** @type {string} */ name) => `已撤销 ${name}。`,
    "clients.sign-out.title": "让此浏览器退出？",
    "clients.sign-out.means": "此页面将不再显示任何内容。要重新打开，请在终端运行：",
    "clients.sign-out.do": "退出",
    "clients.revoked": (/** @type {number} */ n) => `先前撤销的（${count(n)}）`,
    "clients.more": (/** @type {number} */ n) => `还有 ${count(n)} 个`,
  },
});

const SCOPES = ["capture", "recall", "manage"];
/** In the order in which they are shown. */
const KINDS = ["extension", "program", "dashboard", "command line"];
const REVOKED_SHOWN = 50;

/** Names of profiles; the one that is there from the start is made only by the first that is said. @param {any} found */
const known = (found) => [...new Set(["me", ...(found?.profiles ?? []).map((/** @type {any} */ one) => one.name)])];

export default function Clients() {
  const found = useLoad((signal) => get("/v1/clients", {}, signal), [], ["client"]);
  const profiles = useLoad((signal) => get("/v1/profiles", {}, signal), [], ["memory"]);
  const [doing, setDoing] = useState(/** @type {any} */ (null));
  const names = known(profiles.data);
  const close = () => setDoing(null);
  const done = () => {
    close();
    found.reload();
  };
  const items = found.data?.items ?? [];
  const rank = (/** @type {any} */ one) => (one.asks ? -1 : KINDS.indexOf(one.kind));
  const now = items.filter((/** @type {any} */ one) => !one.revoked_at).sort((/** @type {any} */ a, /** @type {any} */ b) => rank(a) - rank(b));
  const before = items.filter((/** @type {any} */ one) => one.revoked_at).reverse();
  const others = now.filter((/** @type {any} */ one) => one.kind === "extension" || one.kind === "program");
  const Doing = doing && { rename: Rename, narrow: Narrow, revoke: Revoke, "sign-out": SignOut }[/** @type {string} */ (doing.what)];
  return html`
    <${Heading}>${t("clients.title")}<//>
    <${Pair} profiles=${names} done=${found.reload} />
    ${!found.data && html`<${Loading} of=${found} />`}
    ${found.data && others.length === 0 && html`<${Empty} title=${t("clients.none")}><p>${t("clients.none.next")}</p><//>`}
    ${now.length > 0 && html`<section class="card">
      <h2>${t("clients.in")}</h2>
      ${now.map((/** @type {any} */ one) => html`<${Client} key=${one.id} client=${one} act=${(/** @type {string} */ what) => setDoing({ what, client: one })} />`)}
    </section>`}
    ${before.length > 0 && html`<details class="card">
      <summary><h2>${t("clients.revoked", before.length)}</h2></summary>
      ${before.slice(0, REVOKED_SHOWN).map((/** @type {any} */ one) => html`<article key=${one.id} class="client">
        <div>
          <h3 dir="auto">${one.name}</h3>
          <p class="about"><span class="chip">${t(`clients.kind.${one.kind.replace(" ", "-")}`)}</span>
            <span>${t("clients.since", day(one.created_at))}</span> <span>${t("clients.revoked-at", day(one.revoked_at))}</span></p>
        </div>
      </article>`)}
      ${before.length > REVOKED_SHOWN && html`<p class="soft">${t("clients.more", before.length - REVOKED_SHOWN)}</p>`}
    </details>`}
    ${doing && html`<${Doing} client=${doing.client} close=${close} done=${done} />`}
  `;
}

/** @param {any} props */
function Client({ client, act }) {
  const own = client.kind === "command line";
  const button = (/** @type {string} */ what) => html`<button aria-label=${`${t(`clients.${what}`)} ${client.name}`} onClick=${() => act(what)}>${t(`clients.${what}`)}</button>`;
  return html`<article class="client">
    <div>
      <h3 dir="auto">${client.name}</h3>
      <p class="about">
        ${client.asks && html`<span class="chip fact">${t("clients.this")}</span>`}
        <span class="chip">${t(`clients.kind.${client.kind.replace(" ", "-")}`)}</span>
        <span>${client.last_used_at ? t("clients.used", day(client.last_used_at)) : t("clients.unused")}</span>
        <span>${t("clients.since", day(client.created_at))}</span>
      </p>
      <dl class="facts small">
        <dt>${t("clients.may")}</dt>
        <dd>${client.scopes.length === SCOPES.length ? t("clients.everything") : client.scopes.map((/** @type {string} */ scope) => t(`clients.scope.${scope}`)).join(" · ")}</dd>
        <dt>${t("clients.profiles")}</dt>
        <dd dir="auto">${client.profiles ? client.profiles.join(" · ") : t("clients.profiles.all")}</dd>
        ${client.kind === "extension" && html`<dt>${t("clients.asks.from")}</dt><dd dir="auto">${client.origin}</dd>`}
      </dl>
    </div>
    ${own
      ? html`<p class="small soft">${t("clients.own")}</p>`
      : html`<p class="buttons">${button("rename")} ${!client.asks && button("narrow")} ${button(client.asks ? "sign-out" : "revoke")}</p>`}
  </article>`;
}

/** Types the code, sees who asks, decides. @param {any} props */
function Pair({ profiles, done }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [code, setCode] = useState("");
  const [waits, setWaits] = useState(false);
  const [wrong, setWrong] = useState("");
  const [asks, setAsks] = useState(/** @type {any} */ (null));
  const id = useId();

  useEffect(
    () =>
      listen(({ name, waiting }) => {
        if (name !== "pairing") {
          return;
        }
        setWaits(waiting > 0);
        const busy = document.activeElement?.matches("input, textarea, select, dialog *");
        if (waiting > 0 && !busy) {
          field.current?.focus();
        }
      }),
    [],
  );

  const look = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!code.replace(/[\s-]/g, "")) {
      setWrong(t("clients.code.empty"));
      field.current?.focus();
      return;
    }
    setWrong("");
    try {
      setAsks(await call("POST", "/v1/pairings", { body: { code } }));
    } catch (problem) {
      const { status } = /** @type {any} */ (problem);
      setWrong(status === 404 ? t("clients.code.wrong") : status === 429 ? t("clients.code.limit") : sentence(problem));
      field.current?.select();
    }
  };
  const over = (/** @type {boolean} */ decided) => {
    setAsks(null);
    if (decided) {
      setCode("");
      done();
    } else {
      setWrong("");
    }
  };
  return html`<form class="card" onSubmit=${look}>
    <h2>${t("clients.pair")}</h2>
    <p>${t("clients.pair.how")}</p>
    <p role="status" class=${waits ? "state busy" : ""}>${waits && t("clients.waits")}</p>
    <div class="bar">
      <label class="field"><span>${t("clients.code")}</span>
        <input class="code" ref=${field} value=${code} placeholder="BCDF-GHJK" maxlength="64" autocomplete="off" autocapitalize="characters" spellcheck=${false}
          aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong ? id : undefined}
          onInput=${(/** @type {any} */ event) => {
            setCode(event.target.value);
            setWrong("");
          }} />
      </label>
      <button class="primary">${t("clients.look")}</button>
    </div>
    ${wrong && html`<p id=${id} class="bad" role="alert">${wrong}</p>`}
  </form>
    ${asks && html`<${Decide} asks=${asks} code=${code} profiles=${profiles} close=${() => over(false)} done=${() => over(true)}
      gone=${(/** @type {string} */ why) => {
        setAsks(null);
        setWrong(why);
      }} />`}`;
}

/** Who asks, and what it will be allowed. @param {any} props */
function Decide({ asks, code, profiles, close, done, gone }) {
  const [scopes, setScopes] = useState(asks.scopes);
  const [chosen, setChosen] = useState(/** @type {string[] | null} */ (null));
  const [going, setGoing] = useState(false);
  const [until] = useState(() => new Date(Date.now() + asks.expires_in * 1000));
  const nothing = scopes.length === 0 || chosen?.length === 0;
  const decide = async (/** @type {string} */ decision) => {
    setGoing(true);
    const body = { code, decision, ...(decision === "confirm" ? { scopes, profiles: chosen } : {}) };
    try {
      await call("POST", at("/v1/pairings", asks.id), { body });
      say(decision === "confirm" ? t("clients.let-in.done", asks.client) : t("clients.refused"));
      done();
    } catch (problem) {
      if (/** @type {any} */ (problem).status === 404) {
        gone(t("clients.code.over"));
        return;
      }
      setGoing(false);
      say(sentence(problem), true);
    }
  };
  return html`<${Dialog} title=${t("clients.asks")} close=${close}>
    <dl class="facts">
      <dt>${t("clients.asks.name")}</dt>
      <dd dir="auto"><b>${asks.client}</b></dd>
      <dt>${t("clients.asks.from")}</dt>
      <dd dir="auto">${asks.origin ? html`<code>${asks.origin}</code>` : t("clients.asks.program")}</dd>
    </dl>
    ${asks.origin && html`<p class="small soft">${t("clients.asks.extension")}</p>`}
    <${Rights} of=${asks.scopes} scopes=${scopes} setScopes=${setScopes} all=${true} profiles=${profiles} chosen=${chosen} setChosen=${setChosen} />
    ${nothing && html`<p class="bad" role="alert">${t("clients.nothing-chosen")}</p>`}
    <p class="small soft">${t("clients.asks.until", moment(until))}</p>
    <p class="buttons">
      <button type="button" onClick=${close}>${t("cancel")}</button>
      <button type="button" class="danger" disabled=${going} onClick=${() => decide("refuse")}>${t("clients.refuse")}</button>
      <button type="button" class="primary" disabled=${going || nothing} onClick=${() => decide("confirm")}>${t("clients.let-in")}</button>
    </p>
  <//>`;
}

/**
 * What somebody may: `of` these scopes, and of the `profiles` that there are, or `all`; `chosen` null is all of them.
 * @param {any} props
 */
function Rights({ of, scopes, setScopes, all, profiles, chosen, setChosen }) {
  const toggle = (/** @type {string[]} */ list, /** @type {string} */ one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
  const name = useId();
  return html`
    <fieldset class="rights"><legend>${t("clients.may")}</legend>
      ${SCOPES.filter((scope) => of.includes(scope)).map((scope) => html`<label class="check">
        <input type="checkbox" checked=${scopes.includes(scope)} onChange=${() => setScopes(toggle(scopes, scope))} />${t(`clients.scope.${scope}`)}
      </label>`)}
    </fieldset>
    <fieldset class="rights"><legend>${t("clients.profiles")}</legend>
      ${all && html`<label class="check"><input type="radio" name=${name} checked=${chosen === null} onChange=${() => setChosen(null)} />${t("clients.profiles.all")}</label>
        <label class="check"><input type="radio" name=${name} checked=${chosen !== null} onChange=${() => setChosen([profiles[0]])} />${t("clients.profiles.some")}</label>`}
      ${chosen !== null && html`<div class="some">
        ${profiles.map((/** @type {string} */ one) => html`<label class="check">
          <input type="checkbox" checked=${chosen.includes(one)} onChange=${() => setChosen(toggle(chosen, one))} /><span dir="auto">${one}</span>
        </label>`)}
      </div>`}
    </fieldset>
  `;
}

/** @param {any} props */
function Rename({ client, close, done }) {
  const [name, setName] = useState(client.name);
  const [wrong, setWrong] = useState("");
  const id = useId();
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await call("PATCH", at("/v1/clients", client.id), { body: { name: name.trim() } });
      say(t("clients.rename.done"));
      done();
    } catch (problem) {
      setWrong(sentence(problem));
    }
  };
  return html`<${Dialog} title=${t("clients.rename.title")} close=${close}>
    <form class="inside-form" onSubmit=${save}>
      <label class="field"><span>${t("clients.rename.name")}</span>
        <input class="wide" dir="auto" maxlength="100" required value=${name} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong ? id : undefined}
          onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
      </label>
      ${wrong && html`<p id=${id} class="bad" role="alert">${wrong}</p>`}
      <p class="buttons">
        <button type="button" onClick=${close}>${t("cancel")}</button>
        <button class="primary">${t("save")}</button>
      </p>
    </form>
  <//>`;
}

/** @param {any} props */
function Narrow({ client, close, done }) {
  const found = useLoad((signal) => get("/v1/profiles", {}, signal), []);
  const names = client.profiles ?? known(found.data);
  const [scopes, setScopes] = useState(client.scopes);
  const [chosen, setChosen] = useState(client.profiles);
  const nothing = scopes.length === 0 || chosen?.length === 0;
  const save = async () => {
    const answer = await attempt(() => call("PATCH", at("/v1/clients", client.id), { body: { scopes, profiles: chosen } }));
    if (answer) {
      say(t("clients.narrow.done"));
      done();
    }
  };
  return html`<${Dialog} title=${t("clients.narrow.title", client.name)} close=${close}>
    <${Rights} of=${client.scopes} scopes=${scopes} setScopes=${setScopes} all=${client.profiles === null} profiles=${names} chosen=${chosen} setChosen=${setChosen} />
    ${nothing && html`<p class="bad" role="alert">${t("clients.nothing-chosen")}</p>`}
    <p class="soft">${t("clients.narrow.means")}</p>
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="primary" disabled=${nothing} onClick=${save}>${t("clients.narrow.do")}</button>
    </p>
  <//>`;
}

/** @param {any} props */
function Revoke({ client, close, done }) {
  const go = async () => {
    if (await attempt(() => call("DELETE", at("/v1/clients", client.id)))) {
      say(t("clients.revoke.done", client.name));
      done();
    }
  };
  return html`<${Dialog} title=${t("clients.revoke.title", client.name)} close=${close}>
    <p>${t(client.kind === "dashboard" ? "clients.revoke.browser" : "clients.revoke.means")}</p>
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="danger" onClick=${go}>${t("clients.revoke.do")}</button>
    </p>
  <//>`;
}

/** @param {any} props */
function SignOut({ close }) {
  const go = async () => {
    if (await attempt(() => call("DELETE", "/v1/dashboard/sessions"))) {
      keepKey("");
      dispatchEvent(new CustomEvent("signed-out")); // the other tabs are told, and what was typed keeps nobody here
      location.reload();
    }
  };
  return html`<${Dialog} title=${t("clients.sign-out.title")} close=${close}>
    <p>${t("clients.sign-out.means")}</p>
    <p><code>satchel open</code></p>
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="danger" onClick=${go}>${t("clients.sign-out.do")}</button>
    </p>
  <//>`;
}
