// Days as `<input type="date">` has them ("2026-12-01"), and the moments at which they begin here.

/** When that day begins by this machine's clock, in ISO 8601; "" stays "". @param {string} day @param {number} [after] days later */
export function begins(day, after = 0) {
  const [year, month, date] = day.split("-").map(Number);
  return day ? new Date(year, month - 1, date + after).toISOString() : "";
}

/** The day of a moment, by this machine's clock. @param {string | number | Date} moment */
export function dayOf(moment) {
  const at = new Date(moment);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
