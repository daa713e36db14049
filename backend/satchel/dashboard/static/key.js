// The secret beside the cookie: kept where only pages of this very address, port included, can read it.

const KEY = "satchel.page-key";

/** @param {string} key */
export const keepKey = (key) => localStorage.setItem(KEY, key);

export const pageKey = () => localStorage.getItem(KEY) ?? "";
