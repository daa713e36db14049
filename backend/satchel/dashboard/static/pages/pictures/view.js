// A view of a plane that can be magnified and moved: what is at which place of the picture.

export const FARTHEST = 24;

/** `k` is the magnification, at least 1; `x` and `y` the picture's place of the plane's corner.
 * @typedef {{k: number, x: number, y: number}} View */

/** @type {View} */
export const WHOLE = { k: 1, x: 0, y: 0 };

/** The nearest view that leaves no margin. @param {View} view @param {number} width @param {number} height @returns {View} */
export function within({ k, x, y }, width, height) {
  const near = Math.max(1, Math.min(FARTHEST, k));
  return { k: near, x: Math.min(0, Math.max(width * (1 - near), x)), y: Math.min(0, Math.max(height * (1 - near), y)) };
}

/** Magnified so many times, (x, y) of the picture staying where it is. @param {View} view @param {number} times @param {number} x @param {number} y @returns {View} */
export function magnify(view, times, x, y) {
  const k = Math.max(1, Math.min(FARTHEST, view.k * times));
  const by = k / view.k;
  return { k, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** The next point from `from` in the direction of an arrow key: near, and not far off to the side.
 * @param {{x: number, y: number}[]} points @param {{x: number, y: number}} from @param {string} key
 * @returns {number} its place in `points`, or -1 */
export function towards(points, from, key) {
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let found = -1;
  let least = Infinity;
  for (let at = 0; at < points.length; at += 1) {
    const [dx, dy] = [points[at].x - from.x, points[at].y - from.y];
    const ahead = sign * (across ? dx : dy);
    const aside = Math.abs(across ? dy : dx);
    const far = ahead + 2 * aside;
    if (ahead > 0 && aside <= 2 * ahead && far < least) {
      least = far;
      found = at;
    }
  }
  return found;
}

/** The nearest point within `reach`, or -1. @param {{x: number, y: number}[]} points @param {number} x @param {number} y @param {number} reach */
export function nearest(points, x, y, reach) {
  let found = -1;
  let least = reach * reach;
  for (let at = 0; at < points.length; at += 1) {
    const far = (points[at].x - x) ** 2 + (points[at].y - y) ** 2;
    if (far <= least) {
      least = far;
      found = at;
    }
  }
  return found;
}
