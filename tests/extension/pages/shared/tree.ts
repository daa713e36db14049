/** A conversation as a page holds it: a tree of which one branch is shown. */

export interface Node {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  text: string;
}

export class Tree {
  private nodes = new Map<string, Node>();
  /** The last message of the branch shown. */
  current: string | null = null;

  add(node: Node): Node {
    this.nodes.set(node.id, node);
    this.current = node.id;
    return node;
  }

  get(id: string | null): Node | null {
    return id === null ? null : (this.nodes.get(id) ?? null);
  }

  /** Gives a node the id that the server has for it. */
  rename(old: string, id: string): void {
    const node = this.nodes.get(old);
    if (!node || old === id) return;
    const nodes = [...this.nodes.values()];
    node.id = id;
    for (const other of nodes) if (other.parent === old) other.parent = id;
    if (this.current === old) this.current = id;
    this.nodes = new Map(nodes.map((each) => [each.id, each]));
  }

  branch(): Node[] {
    const found: Node[] = [];
    for (let node = this.get(this.current); node; node = this.get(node.parent)) found.unshift(node);
    return found;
  }

  /** The versions of a turn, itself among them, oldest first. */
  siblings(node: Node): Node[] {
    return [...this.nodes.values()].filter((other) => other.parent === node.parent && other.role === node.role);
  }

  /** Shows the branch through `id`, down to its newest message. */
  show(id: string): void {
    let last = id;
    for (const node of this.nodes.values()) if (node.parent === last) last = this.newest(last);
    this.current = last;
  }

  private newest(id: string): string {
    const children = [...this.nodes.values()].filter((node) => node.parent === id);
    const child = children.at(-1);
    return child ? this.newest(child.id) : id;
  }
}
