/** The branch of a conversation that is shown, out of all that was said. */

export interface Linked {
  id: string;
  /** The id of the message before it; null where the site does not say. */
  parent: string | null;
}

/** The messages up to `last`, the first of them first. A parent that is not among `all` ends the way, as does a ring. */
export function branchTo<T extends Linked>(last: T, all: Iterable<T>): T[] {
  const byId = new Map<string, T>();
  for (const each of all) byId.set(each.id, each);
  const found: T[] = [];
  for (let at: T | undefined = last; at; ) {
    found.push(at);
    byId.delete(at.id);
    at = at.parent === null ? undefined : byId.get(at.parent);
  }
  return found.reverse();
}

/**
 * The branch shown of messages in the order of their making: the one that ends in the newest. Without any parents,
 * all of them.
 */
export function newestBranch<T extends Linked>(all: readonly T[]): T[] {
  const last = all.at(-1);
  if (!last || all.every((each) => each.parent === null)) return [...all];
  return branchTo(last, all);
}
