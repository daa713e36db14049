/** ChatGPT's delta encoding "v1": operations on documents in numbered slots; path and operation stay in force. */

export interface Delta {
  c?: number;
  p?: string;
  o?: string;
  v?: unknown;
}

export function applyDelta(state: { slots: unknown[]; at: number; last: Delta }, delta: Delta): void {
  state.at = delta.c ?? state.at;
  const fresh = typeof delta.v === "object" && delta.v !== null && "message" in delta.v;
  const { p = fresh ? "" : state.last.p, o = fresh ? "add" : state.last.o } = delta;
  state.last = { ...(p === undefined ? {} : { p }), ...(o === undefined ? {} : { o }) };
  if (o === "patch") for (const each of delta.v as Delta[]) change(state, each.p ?? "", each.o ?? "append", each.v);
  else change(state, p ?? "", o ?? "add", delta.v);
}

function change(state: { slots: unknown[]; at: number }, path: string, operation: string, value: unknown): void {
  const keys = path.split("/").slice(1);
  const last = keys.pop();
  if (last === undefined) {
    state.slots[state.at] = value;
    return;
  }
  let parent = state.slots[state.at] as Record<string, unknown>;
  for (const key of keys) parent = parent[key] as Record<string, unknown>;
  const old = parent[last];
  if (operation !== "append") parent[last] = value;
  else if (typeof old === "string") parent[last] = old + String(value);
  else if (Array.isArray(old)) old.push(...(value as unknown[]));
  else Object.assign(old as object, value);
}
