// Light or dark: as the system has it, unless chosen.

const THEME = "satchel.theme";

export const THEMES = ["system", "light", "dark"];

export const theme = () => localStorage.getItem(THEME) ?? "system";

/** @param {string} [chosen] */
export function applyTheme(chosen) {
  if (chosen) {
    localStorage.setItem(THEME, chosen);
  }
  const now = theme();
  if (now === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = now;
  }
}
