"""The server's side of Kimi: Connect, in JSON; a prompt and its answer in envelopes of five bytes and a message."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response

CHAT = "/apiv2/kimi.chat.v1.ChatService"
GATEWAY = "/apiv2/kimi.gateway.chat.v1.ChatService"
ID_LETTERS = "0123456789abcdefghijklmnopqrstuv"


class Kimi(ChatSite):
    id = "kimi"
    name = "Kimi"
    hosts = ("www.kimi.com", "kimi.com", "www.kimi.ai")
    trusted_types = ("lexical",)

    def path(self, conversation_id: str) -> str:
        return f"/chat/{conversation_id}"

    def new_id(self) -> str:
        return "d" + "".join(secrets.choice(ID_LETTERS) for _ in range(19))

    def handle(self, request: Request) -> Response | None:
        if request.method != "POST":
            return None
        if request.path == f"{CHAT}/ListChats":
            return self.json({"chats": [{"id": kept.id, "name": kept.title} for kept in self.listed()]})
        if request.path == f"{GATEWAY}/ListMessages":
            conversation = self.conversations.get(request.json()["chat_id"])
            if conversation is None:
                return self.json({"code": "not_found"}, 404)
            return self.json(self.shaped("history", self.history(conversation)))
        if request.path == f"{GATEWAY}/Chat":
            return self.prompt(request)
        return None

    def prompt(self, request: Request) -> Response:
        """Bare JSON is refused, as on the site."""
        length = int.from_bytes(request.body[1:5])
        if request.body[:1] != b"\0" or length != len(request.body) - 5:
            return self.json({"code": "invalid_argument"}, 400)
        raw = request.body[5:].decode()
        asked = json.loads(raw)
        with self.lock:
            conversation = self.conversations.get(asked.get("chat_id", ""))
            if conversation is None:
                conversation = Conversation(self.new_id(), "", self.now())
                self.conversations[conversation.id] = conversation
            text = "".join(block["text"]["content"] for block in asked["message"]["blocks"])
            self.received.append({"conversation": conversation.id, "text": text, "raw": raw})
            parent = asked["message"].get("parent_id")
            user = conversation.add(Message(self.new_id(), parent, "user", text, self.now()))
            answer = conversation.add(Message(self.new_id(), user.id, "assistant", "", self.now()))
            said = self.take_answer()
            conversation.title = conversation.title or f"About {text[:24]}"
        return self.stream(self.frames(self.events(conversation, user, answer, said)), "application/connect+json")

    def frames(self, events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        for event in events:
            yield envelope(self.shaped("event", event))
        yield envelope({}, 2)

    def events(self, conversation: Conversation, user: Message, answer: Message, said: str) -> Iterator[dict[str, Any]]:
        """Operations: `mask` says on what."""

        def told(op: str, mask: str, **on: Any) -> dict[str, Any]:
            return {"op": op, "mask": mask, "eventOffset": 1, **on}

        yield {"heartbeat": {}}
        yield told("set", "chat.lastRequest", chat={"id": conversation.id, "lastRequest": {"options": {}}})
        yield told("set", "message", message={"id": conversation.id, "role": "system"})
        yield told("set", "message", message=self.message(conversation, user))
        yield told("set", "message", message={**self.message(conversation, answer, "GENERATING"), "blocks": []})
        yield told("set", "block.think", block={"id": "1", "messageId": answer.id, "think": {"content": "What do "}})
        yield told("append", "block.think.content", block={"id": "1", "think": {"content": "they want?"}})
        for number, piece in enumerate(self.write(answer, said)):
            text = {"content": piece}
            if number:
                yield told("append", "block.text.content", block={"id": "2", "text": text})
            else:
                yield told("set", "block.text", block={"id": "2", "parentId": "", "text": text})
        yield told("set", "chat.name", chat={"id": conversation.id, "name": conversation.title})
        yield told("set", "message.status", message={"id": answer.id, "status": "MESSAGE_STATUS_COMPLETED"})
        yield {"eventOffset": 1, "done": {}}

    def history(self, conversation: Conversation) -> dict[str, Any]:
        """Newest first; the system's message has the chat's own id."""
        system = {"id": conversation.id, "role": "system", "status": "MESSAGE_STATUS_COMPLETED"}
        branch = [self.message(conversation, message) for message in conversation.branch()]
        return {"messages": [*reversed(branch), system]}

    def message(self, conversation: Conversation, message: Message, status: str | None = None) -> dict[str, Any]:
        status = status or ("COMPLETED" if message.finished else "CANCELLED")
        thought = [] if message.role == "user" else [{"id": "1", "think": {"content": "What do they want?"}}]
        return {
            "id": message.id,
            "parentId": message.parent or conversation.id,
            "role": message.role,
            "status": f"MESSAGE_STATUS_{status}",
            "blocks": [*thought, {"id": "2", "messageId": message.id, "text": {"content": message.text}}],
            "scenario": "SCENARIO_K2D5",
            "createTime": datetime.fromtimestamp(message.created, UTC).isoformat().replace("+00:00", "Z"),
        }


def envelope(message: dict[str, Any], flags: int = 0) -> bytes:
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return bytes([flags]) + len(body).to_bytes(4) + body
