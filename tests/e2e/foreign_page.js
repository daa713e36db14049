// What a page of the web can try against a daemon whose address it knows, in whatever browser; gives what it learned.
// An answer is { type, status, text } of a response, or a word: "refused" (or silence), "sent", "unreadable".
async ({ daemon, token, pairing, verifier, code, link, key }) => {
  const told = {};
  const seconds = (n) => new Promise((_, no) => setTimeout(() => no("silence"), n * 1000));
  const attempt = async (name, run) => {
    try { told[name] = await Promise.race([run(), seconds(4)]); }
    catch { told[name] = "refused"; }
  };
  const all = (attempts) => Promise.all(attempts.map(([name, run]) => attempt(name, run)));
  const read = async (path, options = {}) => {
    const answer = await fetch(daemon + path, options);
    return { type: answer.type, status: answer.status, text: await answer.text() };
  };
  const loaded = (element, where = document.head) => new Promise((yes, no) => {
    element.onload = element.onloadeddata = () => yes("loaded");
    element.onerror = () => no("error");
    where.append(element);
  });
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  const bearer = { Authorization: "Bearer " + token };
  const said = { site: "evil", external_id: "evil", messages: [{ role: "user", content: "Planted." }] };
  const bodies = {
    "/v1/messages": said,
    "/v1/memories": { text: "Planted." },
    "/v1/recall": { query: "secret" },
    "/v1/context": { query: "secret" },
    "/v1/extraction": { paused: true },
    "/v1/pair": { client: "Evil", challenge: "0".repeat(64) },
    ["/v1/pair/" + pairing]: { verifier },
    "/v1/pairings": { code },
    "/v1/dashboard/links": {},
    "/v1/dashboard/sessions": { code: link },
    ["/v1/pairings/" + pairing]: { code, decision: "confirm" },
    "/api/openmem/v1/add/message": { user_id: "me", conversation_id: "e", messages: said.messages },
    "/api/openmem/v1/search/memory": { user_id: "me", query: "secret", conversation_id: "e" },
  };
  const paths = ["/health", "/v1/memories", "/v1/status", "/v1/events", "/v1/pair", "/v1/clients", "/schema/openapi.json",
    "/", "/open", "/dashboard/app.js", "/dashboard/key.js", "/dashboard/style.css", "/dashboard/icon.svg"];
  const simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];

  await all(paths.flatMap((path) => [
    ["read " + path, () => read(path)],
    ["read with the token " + path, () => read(path, { headers: bearer })],
    ["read with credentials " + path, () => read(path, { credentials: "include" })],
    ["read with credentials, no-cors " + path, () => read(path, { credentials: "include", mode: "no-cors" })],
    ["read as the dashboard " + path, () => read(path, { credentials: "include", headers: { "X-Satchel-Page": key } })],
    ["read no-cors " + path, () => read(path, { mode: "no-cors" })],
    ["read same-origin " + path, () => read(path, { mode: "same-origin" })],
    ["head " + path, () => read(path, { method: "HEAD", mode: "no-cors" })],
    ["read by XMLHttpRequest " + path, () => new Promise((yes, no) => {
      const request = new XMLHttpRequest();
      request.onload = () => yes({ type: "xhr", status: request.status, text: request.responseText });
      request.onerror = () => no("error");
      request.open("GET", daemon + path); request.send(); })],
  ]));
  await all(Object.entries(bodies).flatMap(([path, value]) => {
    const body = JSON.stringify(value);
    return [
      ["post JSON " + path, () => read(path, { method: "POST", body, headers: { "Content-Type": "application/json" } })],
      ["post JSON with the token " + path, () => read(path, { method: "POST", body,
        headers: { ...bearer, "Content-Type": "application/json" } })],
      ["post JSON as the dashboard " + path, () => read(path, { method: "POST", body, credentials: "include",
        headers: { "Content-Type": "application/json", "X-Satchel-Page": key } })],
      ["post with credentials, no-cors " + path, () => read(path, { method: "POST", body, credentials: "include",
        mode: "no-cors" })],
      ["post to outlive the page " + path, () => read(path, { method: "POST", mode: "no-cors", keepalive: true, body })],
      ...simple.map((kind) => ["post no-cors " + kind + " " + path, () => read(path, { method: "POST", mode: "no-cors",
        body, headers: { "Content-Type": kind } })]),
      ["post a nameless blob " + path, () => read(path, { method: "POST", mode: "no-cors", body: new Blob([body]) })],
      ["beacon of text " + path, async () => { navigator.sendBeacon(daemon + path, body); return "sent"; }],
      ["beacon of JSON " + path, async () => {
        navigator.sendBeacon(daemon + path, new Blob([body], { type: "application/json" })); return "sent"; }],
      ["beacon of a form " + path, async () => {
        navigator.sendBeacon(daemon + path, new URLSearchParams(value)); return "sent"; }],
      ...simple.map((kind) => ["form " + kind + " " + path, () => new Promise((yes) => {
        const frame = make("iframe", { name: "f" + Math.random() });
        document.body.append(frame);
        const form = make("form", { method: "POST", action: daemon + path, enctype: kind, target: frame.name });
        form.append(make("input", { name: body.slice(0, -1) + ', "x": "', value: '"}' }));
        document.body.append(form);
        form.submit();
        const look = () => {
          let text = null;
          try { text = frame.contentDocument && frame.contentDocument.body.innerText; } catch { text = null; }
          if (text === "") setTimeout(look, 50);  // not there yet
          else yes(text === null ? "unreadable" : { type: "frame", status: 0, text });
        };
        setTimeout(look, 50); })]),
    ];
  }));
  await all([["PUT", "/v1/memories"], ["PATCH", "/v1/memories/x"], ["DELETE", "/v1/pair"], ["DELETE", "/v1/conversations/x"]]
    .map(([method, path]) => [method + " " + path, () => read(path, { method, headers: bearer })]));
  await all(paths.flatMap((path) => [
    ["image " + path, () => loaded(make("img", { src: daemon + path }), document.body)],
    ["image with cors " + path, () => loaded(make("img", { crossOrigin: "anonymous", src: daemon + path }), document.body)],
    ["video " + path, () => loaded(make("video", { src: daemon + path }), document.body)],
    ["script " + path, () => loaded(make("script", { src: daemon + path }))],
    ["module " + path, () => import(daemon + path).then(() => "loaded")],
    ["stylesheet " + path, () => loaded(make("link", { rel: "stylesheet", href: daemon + path }))],
    ["preload " + path, () => loaded(make("link", { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: daemon + path }))],
    ["font " + path, () => new FontFace("evil", `url(${daemon + path})`).load().then(() => "loaded")],
    ["worker " + path, () => new Promise((yes, no) => {
      const worker = new Worker(daemon + path); worker.onerror = () => no("error"); worker.onmessage = () => yes("loaded"); })],
    ["event source " + path, () => new Promise((yes, no) => {
      const source = new EventSource(daemon + path);
      source.onopen = () => yes("open"); source.onerror = () => { source.close(); no("error"); }; })],
    ["web socket " + path, () => new Promise((yes, no) => {
      const socket = new WebSocket(daemon.replace("http", "ws") + path);
      socket.onopen = () => yes("open"); socket.onerror = () => no("error"); })],
    ["frame " + path, () => new Promise((yes) => {
      const frame = make("iframe", { src: daemon + path });
      frame.onload = () => {
        let text = null;
        try { text = frame.contentDocument && frame.contentDocument.body.innerText; } catch { text = null; }
        yes(text === null ? "unreadable" : { type: "frame", status: 0, text }); };
      document.body.append(frame); })],
  ]));
  await attempt("service worker of the daemon", async () => {
    await navigator.serviceWorker.register(daemon + "/health"); return "loaded"; });
  await attempt("service worker that asks the daemon", async () => {
    await navigator.serviceWorker.register("/worker.js");
    const { active } = await navigator.serviceWorker.ready;
    return new Promise((yes) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = ({ data }) => yes(data);
      active.postMessage({ daemon, body: JSON.stringify(said) }, [channel.port2]); }); });
  await attempt("what the browser measured", async () => {
    const sizes = performance.getEntriesByType("resource").filter((entry) => entry.name.startsWith(daemon))
      .map((entry) => (entry.responseStatus || 0) + (entry.encodedBodySize || 0) + (entry.transferSize || 0));
    return sizes.some((size) => size > 0) ? "measured" : "refused"; });
  return told;
}
