/** The marker lines around an inserted block. The daemon writes and strips them; `backend/satchel/marker.py` says why so. */

export const BEGIN = "⟦satchel⟧";
export const END = "⟦/satchel⟧";

/** Whether a block of ours stands in `text`, as a whole. */
export function holdsBlock(text: string): boolean {
  const begin = text.indexOf(BEGIN);
  return begin >= 0 && text.indexOf(END, begin) > begin;
}

/** What goes into the composer: the block, a blank line, the prompt. */
export function withBlock(block: string, prompt: string): string {
  return `${block}\n\n${prompt}`;
}
