"""The server's side of DeepSeek: prompts over `/api/v0/chat/completion`, answered as changes to a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response, sse

PROMPTS = ("completion", "edit_message", "regenerate")


class DeepSeek(ChatSite):
    id = "deepseek"
    name = "DeepSeek"
    hosts = ("chat.deepseek.com",)

    def path(self, conversation_id: str) -> str:
        return f"/a/chat/s/{conversation_id}"

    def seed_turn(self, conversation: Conversation, role: str, text: str, created: float) -> Message:
        return conversation.add(Message(self.number(conversation), conversation.current, role, text, created))

    def number(self, conversation: Conversation) -> str:
        """Messages are numbered within their conversation, whatever their branch."""
        return str(len(conversation.messages) + 1)

    def handle(self, request: Request) -> Response | None:
        if not request.path.startswith("/api/v0/"):
            return None
        call = request.path.removeprefix("/api/v0/")
        if call == "chat_session/fetch_page":
            listed = [self.session(kept) for kept in self.listed()]
            return self.biz({"chat_sessions": listed, "has_more": False})
        if call == "chat_session/create":
            conversation = Conversation(self.new_id(), "New chat", self.now())
            self.conversations[conversation.id] = conversation
            return self.biz(self.session(conversation))
        if call == "chat/create_pow_challenge":
            return self.biz({"challenge": {"algorithm": "DeepSeekHashV1", "target_path": "/api/v0/chat/completion"}})
        if call == "chat/history_messages":
            conversation = self.conversations[request.query["chat_session_id"]]
            return self.json(self.shaped("history", self.history(conversation)))
        if call == "chat/stop_stream":
            self.stop(request.json()["chat_session_id"])
            return self.biz({})
        kind = call.removeprefix("chat/")
        return self.prompt(request, kind) if kind in PROMPTS else None

    def prompt(self, request: Request, kind: str) -> Response:
        asked = request.json()
        conversation = self.conversations[asked["chat_session_id"]]
        with self.lock:
            if kind == "regenerate":
                user = conversation.messages[conversation.messages[str(asked["child_message_id"])].parent or ""]
            else:
                self.receive(conversation.id, asked["prompt"], request)
                if kind == "edit_message":
                    parent = conversation.messages[str(asked["message_id"])].parent
                else:
                    parent = None if asked["parent_message_id"] is None else str(asked["parent_message_id"])
                number = self.number(conversation)
                user = conversation.add(Message(number, parent, "user", asked["prompt"], self.now()))
            answer = Message(self.number(conversation), user.id, "assistant", "", self.now(), finished=False)
            conversation.add(answer)
            said = self.take_answer()
            fresh = conversation.title == "New chat"
        return self.stream(self.events(conversation, user, answer, said, fresh=fresh))

    def events(
        self, conversation: Conversation, user: Message, answer: Message, said: str, *, fresh: bool
    ) -> Iterator[str]:
        numbers = {"request_message_id": int(user.id), "response_message_id": int(answer.id), "model_type": "default"}
        yield sse(numbers, "ready")
        yield sse({"updated_at": self.now()}, "update_session")
        for change in self.changes(answer, said):
            yield sse(self.shaped("event", change))
        yield sse({}, "finish")
        if fresh:
            conversation.title = f"About {user.text[:24]}"
            yield sse({"content": conversation.title}, "title")
        yield sse({"updated_at": self.now()}, "update_session")
        yield sse({"click_behavior": "none", "auto_resume": False}, "close")

    def changes(self, answer: Message, said: str) -> Iterator[dict[str, Any]]:
        """Some thinking first, as a fragment of its own. Path and operation stay in force until the next."""
        answer.text = ""
        yield {"v": {"response": {**self.message(answer), "status": "WIP", "fragments": [THOUGHT]}}}
        yield {"p": "response/fragments/-1/content", "o": "APPEND", "v": " that is"}
        yield {"v": " none of the answer."}
        yield {"p": "response/fragments/-1/elapsed_secs", "o": "SET", "v": 0.6}
        first = True
        for piece in self.write(answer, said):
            if first:
                fragment = {"id": 2, "type": "RESPONSE", "content": piece}
                yield {"p": "response/fragments", "o": "APPEND", "v": [fragment]}
                yield {"p": "response/fragments/-1/content", "v": ""}
            else:
                yield {"v": piece}
            first = False
        status = "FINISHED" if answer.finished else "INCOMPLETE"
        batch = [{"p": "accumulated_token_usage", "v": 39}, {"p": "quasi_status", "v": status}]
        yield {"p": "response", "o": "BATCH", "v": batch}
        yield {"p": "response/status", "o": "SET", "v": status}

    def biz(self, data: dict[str, Any]) -> Response:
        return self.json({"code": 0, "msg": "", "data": {"biz_code": 0, "biz_msg": "", "biz_data": data}})

    def session(self, conversation: Conversation) -> dict[str, Any]:
        current = conversation.current
        return {
            "id": conversation.id,
            "title": conversation.title,
            "title_type": "SYSTEM",
            "inserted_at": conversation.created,
            "updated_at": conversation.created,
            "current_message_id": None if current is None else int(current),
        }

    def history(self, conversation: Conversation) -> dict[str, Any]:
        """Every message of every branch; which is shown follows from the current one."""
        messages = [self.message(message) for message in conversation.messages.values()]
        data = {"chat_session": self.session(conversation), "chat_messages": messages, "cache_control": "REPLACE"}
        return {"code": 0, "msg": "", "data": {"biz_code": 0, "biz_msg": "", "biz_data": data}}

    def message(self, message: Message) -> dict[str, Any]:
        user = message.role == "user"
        text = {"id": 2, "type": "REQUEST" if user else "RESPONSE", "content": message.text}
        return {
            "message_id": int(message.id),
            "parent_id": None if message.parent is None else int(message.parent),
            "role": "USER" if user else "ASSISTANT",
            "thinking_enabled": True,
            "status": "FINISHED" if message.finished else "INCOMPLETE" if message.stopped else "WIP",
            "inserted_at": message.created,
            "files": [],
            "fragments": [text] if user else [THOUGHT, text],
        }


THOUGHT = {"id": 1, "type": "THINK", "content": "A thought"}
