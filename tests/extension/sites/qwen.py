"""The server's side of Qwen: a chat is made first, then prompted over `chat/completions` in phases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response, sse

CHATS = "/api/v2/chats"
OF_CHAT = re.compile(rf"{CHATS}/([0-9a-f-]{{36}})")
COMPLETIONS = "/api/v2/chat/completions"


class Qwen(ChatSite):
    id = "qwen"
    name = "Qwen"
    hosts = ("chat.qwen.ai",)

    def path(self, conversation_id: str) -> str:
        return f"/c/{conversation_id}"

    def handle(self, request: Request) -> Response | None:
        if request.method == "GET" and request.path == f"{CHATS}/":
            return self.success([{"id": kept.id, "title": kept.title} for kept in self.listed()])
        if request.method == "POST" and request.path == f"{CHATS}/new":
            made = Conversation(self.new_id(), "New Chat", self.now())
            self.conversations[made.id] = made
            return self.success({"id": made.id})
        if request.method == "POST" and request.path == COMPLETIONS:
            return self.prompt(request)
        found = OF_CHAT.fullmatch(request.path)
        if request.method == "GET" and found:
            conversation = self.conversations.get(found[1])
            if conversation is None:
                return self.json({"success": False, "data": {"code": "Not_Found"}}, 404)
            return self.success(self.shaped("history", self.history(conversation)))
        return None

    def success(self, data: Any) -> Response:
        return self.json({"success": True, "request_id": self.new_id(), "data": data})

    def prompt(self, request: Request) -> Response:
        asked = request.json()
        with self.lock:
            conversation = self.conversations[asked["chat_id"]]
            text = asked["messages"][-1]["content"]
            self.receive(conversation.id, text, request)
            user = conversation.add(Message(self.new_id(), asked["parent_id"], "user", text, self.now()))
            answer = conversation.add(Message(self.new_id(), user.id, "assistant", "", self.now()))
            said = self.take_answer()
            if conversation.title == "New Chat":
                conversation.title = f"About {text[:24]}"
        events = self.events(conversation, answer, said)
        return self.stream(sse(self.shaped("event", event)) for event in events)

    def events(self, conversation: Conversation, answer: Message, said: str) -> Iterator[dict[str, Any]]:
        def piece(content: str, phase: str, status: str = "typing", **more: Any) -> dict[str, Any]:
            delta = {"role": "assistant", "content": content, "phase": phase, "status": status, **more}
            return {"choices": [{"delta": delta}], "response_id": answer.id}

        ids = {"chat_id": conversation.id, "parent_id": answer.parent, "response_id": answer.id, "response_index": "0"}
        yield {"response.created": ids}
        thought = {"summary_title": {"content": ["Thinking."]}, "summary_thought": {"content": ["What do they want?"]}}
        yield piece("", "thinking_summary", extra=thought)
        yield piece("", "thinking_summary", "finished")
        yield {"response.info": {"action": "keep_alive", "chat_id": conversation.id, "response_id": answer.id}}
        for word in self.write(answer, said):
            yield piece(word, "answer")
        yield piece("", "answer", "finished")

    def history(self, conversation: Conversation) -> dict[str, Any]:
        messages = {each.id: self.message(conversation, each) for each in conversation.messages.values()}
        return {
            "id": conversation.id,
            "title": conversation.title,
            "chat": {
                "history": {"messages": messages, "currentId": conversation.current},
                "models": ["qwen3.7-plus"],
                "messages": [messages[each.id] for each in conversation.branch()],
            },
            "currentId": conversation.current,
        }

    def message(self, conversation: Conversation, message: Message) -> dict[str, Any]:
        """An answer's text stands in its phases, not in `content`."""
        said = {
            "id": message.id,
            "fid": message.id,
            "parentId": message.parent,
            "childrenIds": [child.id for child in conversation.children(message.id)],
            "role": message.role,
            "content": message.text if message.role == "user" else "",
            "timestamp": int(message.created),
        }
        if message.role == "user":
            return said
        thought = {"content": "What do they want?", "phase": "think", "status": "finished"}
        status = "finished" if message.finished else "stopped"
        return {**said, "content_list": [thought, {"content": message.text, "phase": "answer", "status": status}]}
