/** An answer that comes in blocks: text, and between it thinking, tools and notes, which are no part of it. */

export interface Block {
  /** Whether it is part of what was said. */
  said: boolean;
  text: string;
}

/** What was said: blocks that follow each other are one text, others stand apart. */
export function joinBlocks(blocks: Iterable<Block>): string {
  let text = "";
  let apart = false;
  for (const block of blocks) {
    if (!block.said) apart = text !== "";
    else if (block.text !== "") {
      text += (apart ? "\n\n" : "") + block.text;
      apart = false;
    }
  }
  return text;
}
