"""The server's side of Perplexity: a thread of entries, each a question and its answer under one id."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response

THREAD = re.compile(r"/rest/thread/([0-9a-f-]{36})")
SOURCES = {"intended_usage": "web_results", "web_result_block": {"web_results": [{"name": "A source", "url": "#"}]}}
PLAN = {"intended_usage": "plan", "plan_block": {"goals": [{"description": "Looking it up"}], "final": True}}

#: The answer comes twice.
USAGES = ("ask_text_0_markdown", "ask_text")


class Perplexity(ChatSite):
    id = "perplexity"
    name = "Perplexity"
    hosts = ("www.perplexity.ai", "perplexity.ai")
    trusted_types = ("lexical",)

    def path(self, conversation_id: str) -> str:
        return f"/search/{conversation_id}"

    def handle(self, request: Request) -> Response | None:
        if request.method == "POST" and request.path == "/rest/sse/perplexity_ask":
            return self.ask(request)
        if request.method == "GET" and request.path == "/rest/thread/list_recent":
            return self.json([{"slug": kept.id, "uuid": kept.id, "title": kept.title} for kept in self.listed()])
        found = THREAD.fullmatch(request.path)
        if request.method == "GET" and found:
            conversation = self.conversations.get(found[1])
            if conversation is None:
                return self.json({"status": "failed", "error_code": "ENTRY_DELETED"}, 400)
            answers = [message for message in conversation.branch() if message.role == "assistant"]
            entries = [self.entry(conversation, answer, self.blocks(answer)) for answer in answers]
            return self.json(self.shaped("history", {"status": "success", "entries": entries, "has_next_page": False}))
        return None

    def seed_turn(self, conversation: Conversation, role: str, text: str, created: float) -> Message:
        """A thread has the id of its first entry."""
        if role == "user":
            entry = self.new_id() if conversation.messages else conversation.id
            return conversation.add(Message(f"{entry}/query", conversation.current, role, text, created))
        question = conversation.current or ""
        return conversation.add(Message(question.replace("/query", "/answer"), question, role, text, created))

    def ask(self, request: Request) -> Response:
        asked = request.json()
        with self.lock:
            last = asked["params"]["last_backend_uuid"]
            conversation = next(
                (kept for kept in self.conversations.values() if f"{last}/answer" in kept.messages), None
            )
            if conversation is None:
                conversation = Conversation(self.new_id(), f"About {asked['query_str'][:24]}", self.now())
                conversation.temporary = asked["params"]["is_incognito"]
                self.conversations[conversation.id] = conversation
            self.receive(conversation.id, asked["query_str"], request)
            self.seed_turn(conversation, "user", asked["query_str"], self.now())
            answer = self.seed_turn(conversation, "assistant", "", self.now())
            said = self.take_answer()
        return self.stream(self.events(conversation, answer, said))

    def events(self, conversation: Conversation, answer: Message, said: str) -> Iterator[str]:
        """While it is written, an answer comes as patches to two blocks that are the same; at last as a whole."""
        answer.finished = False
        yield self.event(self.entry(conversation, answer, [PLAN]))
        for number, piece in enumerate(self.write(answer, said)):
            where = f"/chunks/{number}" if number else ""
            value = piece if number else {"progress": "IN_PROGRESS", "chunks": [piece], "chunk_starting_offset": 0}
            patch = {"field": "markdown_block", "patches": [{"op": "add", "path": where, "value": value}]}
            blocks = [{"intended_usage": usage, "diff_block": patch} for usage in USAGES]
            yield self.event(self.entry(conversation, answer, blocks))
        yield self.event({**self.entry(conversation, answer, self.blocks(answer)), "final_sse_message": True})
        yield "event: end_of_stream\r\ndata: {}\r\n\r\n"

    def event(self, entry: dict[str, Any]) -> str:
        return f"event: message\r\ndata: {json.dumps(self.shaped('event', entry), ensure_ascii=False)}\r\n\r\n"

    def blocks(self, answer: Message) -> list[dict[str, Any]]:
        text = {"progress": "DONE", "chunks": [answer.text], "chunk_starting_offset": 0, "answer": answer.text}
        return [PLAN, SOURCES, *({"intended_usage": usage, "markdown_block": text} for usage in USAGES)]

    def entry(self, conversation: Conversation, answer: Message, blocks: list[dict[str, Any]]) -> dict[str, Any]:
        question = conversation.messages[answer.parent or ""]
        # Naive, and UTC nevertheless.
        updated = datetime.fromtimestamp(answer.created, UTC).replace(tzinfo=None).isoformat()
        return {
            "backend_uuid": answer.id.removesuffix("/answer"),
            "context_uuid": conversation.id,
            "uuid": answer.id.removesuffix("/answer"),
            "frontend_context_uuid": conversation.id,
            "thread_url_slug": conversation.id,
            "thread_title": conversation.title,
            "query_str": question.text,
            "status": "COMPLETED" if answer.finished else "PENDING",
            "text_completed": answer.finished,
            "mode": "COPILOT",
            "display_model": "turbo",
            "expiry_time": None,
            "updated_datetime": updated,
            "related_queries": ["And what else?"],
            "blocks": blocks,
        }
