// The log: what was said where and when, by day, and one conversation with what was drawn from it.
import { html } from "../vendor/preact.js";
import { Conversation } from "./conversations/conversation.js";
import { List } from "./conversations/list.js";

/** @param {any} props */
export default function Conversations({ profile, rest, query }) {
  const [id] = rest;
  return id ? html`<${Conversation} key=${id} id=${id} profile=${profile} turn=${query.turn ?? ""} />` : html`<${List} key=${query.site ?? ""} profile=${profile} named=${query.site ?? ""} />`;
}
