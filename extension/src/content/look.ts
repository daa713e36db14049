/** How chip and preview look: light and dark, in a closed shadow root that takes nothing from the page. */

export const CSS = `
:host { all: initial; position: fixed; inset: 0 auto auto 0; z-index: 2147483000; pointer-events: none;
  color-scheme: light dark; }
* { box-sizing: border-box; }
.root { position: fixed; pointer-events: none; font: 13px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans",
  "Noto Sans CJK SC", sans-serif; --paper: #fff; --ink: #1c2321; --soft: #5d6966; --line: #d9e0dd; --tint: #eef5f2;
  --green: #1f6b57; --on-green: #fff; --amber: #8a4b08; --amber-tint: #fff4e2; --red: #a61b1b; color: var(--ink);
  display: flex; flex-direction: column; gap: 6px; align-items: flex-end; }
@media (prefers-color-scheme: dark) { .root { --paper: #1d2322; --ink: #e7eeeb; --soft: #9aa8a3; --line: #37413e;
  --tint: #25302d; --green: #5fc3a5; --on-green: #0d211b; --amber: #f0b866; --amber-tint: #33281a; --red: #ff8d85; } }
button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; border-radius: 7px; padding: 3px 8px; }
button:focus-visible, input:focus-visible, textarea:focus-visible, summary:focus-visible {
  outline: 2px solid var(--green); outline-offset: 1px; }
button:disabled { opacity: .5; cursor: default; }
.chip { pointer-events: auto; display: flex; align-items: center; gap: 2px; background: var(--paper); border: 1px solid var(--line);
  border-radius: 999px; padding: 2px 4px 2px 3px; box-shadow: 0 1px 6px rgb(0 0 0 / .14); max-width: min(92vw, 460px); }
.chip .main { display: flex; gap: 7px; align-items: center; border-radius: 999px; padding: 3px 9px; text-align: start; }
.chip .main:hover, .chip .small:hover { background: var(--tint); }
.chip .dot { width: 8px; height: 8px; border-radius: 50%; background: var(--green); flex: none; }
.chip kbd { font: 11px ui-monospace, monospace; color: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: 0 4px; }
.chip .small { padding: 3px 8px; color: var(--soft); border-radius: 999px; white-space: nowrap; }
.chip.warn { background: var(--amber-tint); color: var(--amber); border-color: var(--amber); }
.chip.warn .dot { background: var(--amber); }
.panel { pointer-events: auto; width: min(440px, 94vw); max-height: min(60vh, 520px, var(--room, 520px)); display: flex; flex-direction: column;
  background: var(--paper); border: 1px solid var(--line); border-radius: 12px; box-shadow: 0 8px 30px rgb(0 0 0 / .22); overflow: hidden; }
.panel header { display: flex; justify-content: space-between; align-items: center; padding: 10px 10px 8px 14px; gap: 8px; }
.panel h2 { font-size: 14px; margin: 0; font-weight: 600; }
.list { overflow: auto; overscroll-behavior: contain; padding: 0 14px; margin: 0; list-style: none; flex: 1 1 auto; min-height: 60px; }
.list li { padding: 9px 0; border-top: 1px solid var(--line); display: grid; grid-template-columns: 20px 1fr; gap: 2px 6px; }
.list label { display: contents; cursor: pointer; }
.list input[type=checkbox] { margin: 3px 0 0; accent-color: var(--green); width: 15px; height: 15px; }
.list .words { overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: start; display: -webkit-box; -webkit-line-clamp: 5;
  -webkit-box-orient: vertical; overflow: hidden; white-space: pre-line; }
.list li.off .words { color: var(--soft); }
.meta { grid-column: 2; color: var(--soft); font-size: 12px; display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; }
.meta .mark { color: var(--amber); }
.meta button { color: var(--soft); padding: 1px 5px; font-size: 12px; text-decoration: underline; text-underline-offset: 2px; }
.meta button:hover { color: var(--ink); }
.meta .danger { color: var(--red); }
.edit { grid-column: 2; display: flex; flex-direction: column; gap: 5px; }
textarea { font: inherit; color: inherit; background: var(--tint); border: 1px solid var(--line); border-radius: 7px; padding: 6px 8px;
  width: 100%; min-height: 58px; resize: vertical; }
footer { border-top: 1px solid var(--line); padding: 9px 14px; display: flex; flex-direction: column; gap: 7px; }
footer .row { display: flex; justify-content: space-between; align-items: center; gap: 8px; }
footer .hint { color: var(--soft); font-size: 12px; }
.primary { background: var(--green); color: var(--on-green); padding: 6px 14px; font-weight: 600; }
details summary { cursor: pointer; color: var(--soft); font-size: 12px; }
pre { font: 11.5px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0 0; padding: 8px;
  background: var(--tint); border-radius: 7px; max-height: 150px; overflow: auto; unicode-bidi: plaintext; }
.note { color: var(--amber); font-size: 12px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) { .chip, .panel { animation: come .12s ease-out; }
  @keyframes come { from { opacity: 0; transform: translateY(4px); } } }
@media (forced-colors: active) { .chip, .panel { border: 1px solid CanvasText; } }
`;
