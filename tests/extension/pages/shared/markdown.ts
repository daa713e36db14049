/** The little Markdown that the assistant's answers hold: paragraphs, headings, lists, code, bold, inline code. */

import { h } from "./dom";

/** `text` as elements. Unfinished Markdown, as while streaming, is shown as far as it makes sense. */
export function markdown(text: string): HTMLElement[] {
  const blocks: HTMLElement[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    if (line.startsWith("```")) {
      const end = lines.findIndex((other, index) => index > at && other.startsWith("```"));
      const code = lines.slice(at + 1, end < 0 ? undefined : end).join("\n");
      blocks.push(h("pre", {}, h("code", { class: `language-${line.slice(3).trim()}` }, code)));
      at = end < 0 ? lines.length : end + 1;
    } else if (heading) {
      blocks.push(h(`h${heading[1]?.length}`, {}, ...inline(heading[2] ?? "")));
      at += 1;
    } else if (LIST.test(line)) {
      const items: HTMLElement[] = [];
      const ordered = /^\d/.test(line);
      for (; at < lines.length && LIST.test(lines[at] ?? ""); at += 1)
        items.push(h("li", {}, h("p", {}, ...inline((lines[at] ?? "").replace(LIST, "")))));
      blocks.push(h(ordered ? "ol" : "ul", {}, ...items));
    } else if (line.trim() === "") {
      at += 1;
    } else {
      const begin = at;
      while (at < lines.length && (at === begin || !STARTS.test(lines[at] ?? ""))) at += 1;
      blocks.push(h("p", {}, ...inline(lines.slice(begin, at).join("\n"))));
    }
  }
  return blocks;
}

const LIST = /^\s*(?:[-*]|\d+\.) /;
const STARTS = /^(?:\s*$|```|#{1,6} |\s*[-*] |\s*\d+\. )/;

function inline(text: string): (Node | string)[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).flatMap((part): (Node | string)[] => {
    if (part.startsWith("**") && part.length > 4) return [h("strong", {}, part.slice(2, -2))];
    if (part.startsWith("`") && part.length > 2) return [h("code", {}, part.slice(1, -1))];
    return part === "" ? [] : [part];
  });
}
