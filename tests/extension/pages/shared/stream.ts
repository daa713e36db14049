/** Reading a streamed response as it comes, over fetch or XHR. */

export interface ServerEvent {
  event: string;
  data: string;
}

/** The text of a fetched response, as it comes. Ends quietly where `signal` stopped it. */
export async function* fetched(url: string, options: RequestInit): AsyncGenerator<string> {
  const response = await fetch(url, options);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

/** The same over XMLHttpRequest, by its progress events. */
export async function* requested(method: string, url: string, body: string | null, options: { headers?: Record<string, string>; signal?: AbortSignal } = {}): AsyncGenerator<string> {
  const request = new XMLHttpRequest();
  let seen = 0;
  let wake = (): void => {};
  const end = { how: "" };
  request.open(method, url);
  for (const [name, value] of Object.entries(options.headers ?? {})) request.setRequestHeader(name, value);
  request.onprogress = () => wake();
  for (const how of ["load", "error", "abort"]) request.addEventListener(how, () => ((end.how = how), wake()));
  options.signal?.addEventListener("abort", () => request.abort());
  request.send(body);
  for (;;) {
    if (end.how === "error" || (end.how === "load" && request.status >= 400)) throw new Error(`${url}: ${request.status}`);
    if (end.how === "abort") return;
    const fresh = request.responseText.slice(seen);
    seen += fresh.length;
    if (fresh) yield fresh;
    else if (end.how) return;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** The server-sent events of a text that comes in pieces. */
export async function* events(pieces: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let waiting = "";
  for await (const piece of pieces) {
    waiting += piece;
    for (let end = waiting.indexOf("\n\n"); end >= 0; end = waiting.indexOf("\n\n")) {
      const lines = waiting.slice(0, end).split("\n");
      waiting = waiting.slice(end + 2);
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
      const event = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "message";
      if (data.length) yield { event, data: data.join("\n") };
    }
  }
}
