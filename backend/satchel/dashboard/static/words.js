// What the pages say, in the reader's language. A page registers its own words; a test compares the languages.

const LANGUAGE = "satchel.language";

/** @typedef {string | ((...values: any[]) => string)} Words */

/** @type {Record<string, Record<string, Words>>} */
const known = { en: {}, zh: {} };

export const LANGUAGES = { en: "English", zh: "中文" };

/** @returns {"en" | "zh"} */
export function language() {
  const chosen = localStorage.getItem(LANGUAGE);
  if (chosen === "en" || chosen === "zh") {
    return chosen;
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** @param {string} chosen */
export function setLanguage(chosen) {
  localStorage.setItem(LANGUAGE, chosen);
  location.reload();
}

export const locale = () => (language() === "zh" ? "zh-CN" : navigator.language.startsWith("en") ? navigator.language : "en-GB");

/** Registers words by key, in both languages. @param {{en: Record<string, Words>, zh: Record<string, Words>}} words */
export function register(words) {
  Object.assign(known.en, words.en);
  Object.assign(known.zh, words.zh);
}

/** The words of a key; where they are a function, of these values. @param {string} key @param {...any} values */
export function t(key, ...values) {
  const words = known[language()][key] ?? known.en[key] ?? key;
  return typeof words === "function" ? words(...values) : words;
}

/** "1,234". @param {number} value */
export const count = (value) => new Intl.NumberFormat(locale()).format(value);

/** "1 memory", "2,000 memories". @param {number} value @param {string} one @param {string} many */
export const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;

/** A day, as short as it can be understood: "today", "3 November", "3 November 2024".
 * @param {string | number | Date} moment */
export function day(moment) {
  const then = new Date(moment);
  const now = new Date();
  const midnight = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(then) - midnight(now)) / 86_400_000);
  if (Math.abs(days) <= 1) {
    return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(days, "day");
  }
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "long", year }).format(then);
}

/** A day and a time of day. @param {string | number | Date} moment */
export const moment = (moment) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));

/** "1.2 GB". @param {number} bytes */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = bytes < 1 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(locale(), { style: "unit", unit: units[step], maximumFractionDigits: step ? 1 : 0 }).format(bytes / 1000 ** step);
}
