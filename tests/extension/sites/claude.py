"""The server's side of Claude: prompts over `.../completion`, answered in server-sent events of content blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response, sse

ORGANISATION = "3f5b2f7c-9d1e-4a57-8b0a-6a4e3c2d1b00"
ADDRESS = re.compile(rf"/api/organizations/{ORGANISATION}/chat_conversations(?:/([0-9a-f-]{{36}}))?(/\w+)?")
ROOT = "00000000-0000-4000-8000-000000000000"


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Claude(ChatSite):
    id = "claude"
    name = "Claude"
    hosts = ("claude.ai",)

    def path(self, conversation_id: str) -> str:
        return f"/chat/{conversation_id}"

    def handle(self, request: Request) -> Response | None:
        if request.path == "/api/organizations":
            return self.json([{"uuid": ORGANISATION, "name": "Personal", "capabilities": ["chat"]}])
        found = ADDRESS.fullmatch(request.path)
        if found is None:
            return None
        conversation_id, action = found.groups()
        if conversation_id is None:
            return self.json([self.summary(kept) for kept in self.listed()]) if request.method == "GET" else None
        if request.method == "POST" and action in ("/completion", "/retry_completion"):
            return self.prompt(request, conversation_id, retry=action == "/retry_completion")
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            return self.json({"type": "error", "error": {"type": "not_found_error"}}, 404)
        if request.method == "GET" and action is None:
            return self.json(self.shaped("history", self.history(conversation)))
        if request.method == "PUT" and action == "/current_leaf_message_uuid":
            conversation.current = request.json()["current_leaf_message_uuid"]
            return self.json({})
        if request.method == "POST" and action == "/title":
            conversation.title = f"About {request.json()['message_content'][:24]}"
            return self.json({"title": conversation.title})
        return None

    def prompt(self, request: Request, conversation_id: str, *, retry: bool) -> Response:
        asked = request.json()
        ids = asked["turn_message_uuids"]
        parent = None if asked["parent_message_uuid"] == ROOT else asked["parent_message_uuid"]
        with self.lock:
            conversation = self.conversations.get(conversation_id)
            if conversation is None:
                made = asked["create_conversation_params"]
                conversation = Conversation(conversation_id, made["name"], self.now())
                conversation.temporary = made["is_temporary"]
                self.conversations[conversation_id] = conversation
            if not retry:
                self.receive(conversation_id, asked["prompt"], request)
                human = Message(ids["human_message_uuid"], parent, "user", asked["prompt"], self.now())
                parent = conversation.add(human).id
            answer = Message(ids["assistant_message_uuid"], parent, "assistant", "", self.now(), finished=False)
            conversation.add(answer)
            said = self.take_answer()
        return self.stream(sse(self.shaped("event", data), data["type"]) for data in self.events(answer, said))

    def events(self, answer: Message, said: str) -> Iterator[dict[str, Any]]:
        """Some thinking first, as a block of its own, then the answer."""
        yield {
            "type": "message_start",
            "message": {
                "id": f"chatcompl_{answer.id[:8]}",
                "type": "message",
                "role": "assistant",
                "model": "claude",
                "parent_uuid": answer.parent,
                "uuid": answer.id,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
            },
        }
        thinking = {"type": "thinking", "thinking": "", "summaries": [], "cut_off": False}
        yield {"type": "content_block_start", "index": 0, "content_block": thinking}
        delta: dict[str, Any] = {"type": "thinking_delta", "thinking": "A thought that is none of the answer."}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0, "stop_timestamp": iso(self.now())}
        block = {"type": "text", "text": "", "citations": [], "start_timestamp": iso(self.now())}
        yield {"type": "content_block_start", "index": 1, "content_block": block}
        yield {"type": "ping"}
        for piece in self.write(answer, said):
            yield {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": piece}}
        yield {"type": "content_block_stop", "index": 1, "stop_timestamp": iso(self.now())}
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
        yield {"type": "message_limit", "message_limit": {"type": "within_limit"}}
        yield {"type": "message_stop"}

    def summary(self, conversation: Conversation) -> dict[str, Any]:
        return {
            "uuid": conversation.id,
            "name": conversation.title,
            "created_at": iso(conversation.created),
            "updated_at": iso(conversation.created),
            "is_temporary": conversation.temporary,
            "current_leaf_message_uuid": conversation.current,
        }

    def history(self, conversation: Conversation) -> dict[str, Any]:
        """Every message of every branch, in one flat list."""
        messages = list(conversation.messages.values())
        return {
            **self.summary(conversation),
            "settings": {},
            "chat_messages": [self.message(message, number) for number, message in enumerate(messages)],
        }

    def message(self, message: Message, index: int) -> dict[str, Any]:
        text = {"type": "text", "text": message.text, "citations": []}
        thinking = {"type": "thinking", "thinking": "A thought that is none of the answer."}
        assistant = message.role == "assistant"
        return {
            "uuid": message.id,
            "text": "",
            "content": [thinking, text] if assistant else [text],
            "sender": "assistant" if assistant else "human",
            "index": index,
            "created_at": iso(message.created),
            "updated_at": iso(message.created),
            "truncated": False,
            **({"stop_reason": "end_turn" if message.finished else "user_canceled"} if assistant else {}),
            "attachments": [],
            "files": [],
            "parent_message_uuid": message.parent or ROOT,
        }
