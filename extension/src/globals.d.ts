/** Firefox's name for `chrome`, with the same calls. */
declare const browser: typeof chrome | undefined;

/** The wire rules of `sites.ts`, put there by build.mjs: a page's world gets these and nothing else of the table. */
declare const WIRE: readonly { hosts: readonly string[]; wire: readonly { method: string; url: string }[] }[];

declare module "*.css";
