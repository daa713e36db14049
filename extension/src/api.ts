/** The browser's own calls: Firefox's `browser`, everybody else's `chrome`. */
export const api: typeof chrome = typeof browser === "undefined" ? chrome : browser;

/** A text of `_locales`. */
export function text(name: string, ...values: (string | number)[]): string {
  return api.i18n.getMessage(name, values.map(String)) || name;
}
