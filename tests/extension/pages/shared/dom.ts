/** Building elements without markup in strings: the pages run under Trusted Types. */

type Attributes = Record<string, string | boolean | ((event: Event) => void)>;

/** An element with attributes; those that are functions listen to the event of their name, false ones are left out. */
export function h(tag: string, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
