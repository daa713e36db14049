export * from "preact";
export * from "preact/hooks";
/** A template of elements and components; `<${Component} …/>` and `<//>` as htm has them. */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => any;
