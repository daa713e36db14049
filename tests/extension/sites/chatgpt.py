"""The server's side of ChatGPT: prompts over `/backend-api/f/conversation`, answered in the delta-encoded stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response, sse

PROMPT_PATHS = ("/backend-api/conversation", "/backend-api/f/conversation")
HISTORY_PATH = re.compile(r"/backend-api/(conversations?)/([0-9a-f-]{36})(/messages)?")
ROOT = "client-created-root"
#: How many turns a page of the history holds.
PAGE_TURNS = 10


class ChatGpt(ChatSite):
    id = "chatgpt"
    name = "ChatGPT"
    hosts = ("chatgpt.com", "chat.openai.com")

    def __init__(self) -> None:
        super().__init__()
        #: The stream's older form, in which every event carries the whole message so far.
        self.whole_events = False
        #: Pro models: the answer goes another way (a web socket) and the stream ends without it.
        self.hand_off = False
        #: The history in pages, as accounts of late 2026 get it, instead of the tree.
        self.paged = False

    def handle(self, request: Request) -> Response | None:
        if request.method == "POST" and request.path in PROMPT_PATHS:
            return self.prompt(request)
        if request.method == "POST" and request.path == "/backend-api/f/conversation/prepare":
            return self.json({"status": "ok", "conduit_token": "t"})
        if request.method == "POST" and request.path == "/backend-api/stop_conversation":
            return self.stop(request.json()["conversation_id"])
        if request.method == "GET" and request.path == "/backend-api/conversations":
            items = [{"id": kept.id, "title": kept.title, "create_time": kept.created} for kept in self.listed()]
            return self.json({"items": items, "total": len(items), "limit": 28, "offset": 0})
        found = HISTORY_PATH.fullmatch(request.path)
        if request.method == "GET" and found:
            conversation = self.conversations.get(found[2])
            if conversation is None or conversation.temporary or self.paged != (found[1] == "conversations"):
                return self.json({"detail": "conversation_not_found"}, 404)
            if self.paged:
                history = self.page(conversation, request.query.get("before") if found[3] else None)
            else:
                history = self.history(conversation)
            return self.json(self.shaped("history", history))
        return None

    def path(self, conversation_id: str) -> str:
        return f"/c/{conversation_id}"

    def prompt(self, request: Request) -> Response:
        asked = request.json()
        with self.lock:
            conversation = self.conversations.get(asked.get("conversation_id") or "")
            if conversation is None:
                conversation = Conversation(self.new_id(), "New chat", self.now())
                conversation.temporary = asked.get("history_and_training_disabled", False)
                self.conversations[conversation.id] = conversation
            message = asked["messages"][0]
            text = "".join(part for part in message["content"]["parts"] if isinstance(part, str))
            if asked["action"] == "next":
                self.receive(conversation.id, text, request)
                parent = asked["parent_message_id"]
                conversation.add(
                    Message(
                        message["id"],
                        parent if parent in conversation.messages else None,
                        "user",
                        text,
                        message.get("create_time") or self.now(),
                    )
                )
            answer = conversation.add(
                Message(self.new_id(), message["id"], "assistant", "", self.now(), finished=False)
            )
            said = self.take_answer()
            # Told only now, as on the site: a new chat is named after its first exchange.
            conversation.title = f"About {text[:24]}" if conversation.title == "New chat" else conversation.title
        events = (
            self.whole(conversation, answer, said) if self.whole_events else self.deltas(conversation, answer, said)
        )
        return self.stream(self.shaped_events(events))

    def shaped_events(self, events: Iterator[tuple[Any, str | None]]) -> Iterator[str]:
        for data, name in events:
            yield sse(self.shaped("event", data), name)

    def deltas(self, conversation: Conversation, answer: Message, said: str) -> Iterator[tuple[Any, str | None]]:
        """The stream in the delta encoding "v1": whole messages are added, then patched; `p` and `o` stay in force."""
        at = {"conversation_id": conversation.id}
        user = conversation.messages[answer.parent or ""]
        hidden = Message(self.new_id(), None, "system", "", self.now())
        yield '"v1"', "delta_encoding"
        yield {"type": "resume_conversation_token", "kind": "topic", "token": "t", **at}, None
        added = {"message": self.message(hidden, hidden=True), **at, "error": None}
        yield {"p": "", "o": "add", "v": added, "c": 0}, "delta"
        yield {"type": "input_message", "input_message": self.message(user), **at}, None
        if self.hand_off:
            yield {"type": "stream_handoff", **at, "options": [{"type": "subscribe_ws_topic", "topic_id": "x"}]}, None
            yield "[DONE]", None
            answer.text = said
            return
        thinking = Message(self.new_id(), user.id, "assistant", "", self.now())
        yield {"v": {"message": self.message(thinking, thoughts=True), **at, "error": None}, "c": 1}, "delta"
        yield (
            {"p": "/message/content/thoughts", "o": "append", "v": [{"summary": "Thinking", "content": "Hm."}]},
            "delta",
        )
        yield {"p": "/message/status", "o": "replace", "v": "finished_successfully"}, "delta"
        yield {"p": "", "o": "add", "v": {"message": self.message(answer), **at, "error": None}, "c": 2}, "delta"
        yield (
            {"type": "message_marker", "message_id": answer.id, "marker": "user_visible_token", "event": "first"},
            None,
        )
        held, begun = "", {"p": "/message/content/parts/0", "o": "append"}
        for piece in self.write(answer, said):
            if held:
                yield {**begun, "v": held}, "delta"
                begun = {}
            held = piece
        last: list[dict[str, Any]] = [
            {"p": "/message/content/parts/0", "o": "append", "v": held},
            {"p": "/message/status", "o": "replace", "v": self.status(answer)},
            {"p": "/message/end_turn", "o": "replace", "v": True},
            {"p": "/message/metadata", "o": "append", "v": {"is_complete": True}},
        ]
        yield {"p": "", "o": "patch", "v": last}, "delta"
        yield {"type": "title_generation", "title": conversation.title, **at}, None
        yield {"type": "message_stream_complete", **at}, None
        yield {"type": "conversation_detail_metadata", "default_model_slug": "auto", **at}, None
        yield "[DONE]", None

    def whole(self, conversation: Conversation, answer: Message, said: str) -> Iterator[tuple[Any, str | None]]:
        at = {"conversation_id": conversation.id, "error": None}
        user = conversation.messages[answer.parent or ""]
        yield {"message": self.message(user), **at}, None
        for _ in self.write(answer, said):
            yield {"message": self.message(answer), **at}, None
        yield {"message": self.message(answer), **at}, None
        yield {"type": "title_generation", "title": conversation.title, **at}, None
        yield "[DONE]", None

    def status(self, message: Message) -> str:
        if message.finished:
            return "finished_successfully"
        return "finished_partial_completion" if message.stopped else "in_progress"

    def message(self, message: Message, *, hidden: bool = False, thoughts: bool = False) -> dict[str, Any]:
        content: dict[str, Any] = {"content_type": "text", "parts": [message.text]}
        if thoughts:
            content = {"content_type": "thoughts", "thoughts": [], "source_analysis_msg_id": "x"}
        return {
            "id": message.id,
            "author": {"role": message.role, "name": None, "metadata": {}},
            "create_time": message.created,
            "update_time": None,
            "content": content,
            "status": "in_progress" if thoughts else self.status(message),
            "end_turn": message.finished if message.role == "assistant" and not thoughts else None,
            "weight": 0.0 if hidden else 1.0,
            "metadata": {"is_visually_hidden_from_conversation": True} if hidden else {},
            "recipient": "all",
            "channel": "final" if message.role == "assistant" and not thoughts else None,
        }

    def history(self, conversation: Conversation) -> dict[str, Any]:
        """The tree, with the hidden system message that the site puts under the root."""
        system = f"{conversation.id[:-4]}feed"
        hidden = Message(system, ROOT, "system", "", conversation.created)
        first = [message.id for message in conversation.children(None)]
        mapping: dict[str, Any] = {
            ROOT: {"id": ROOT, "message": None, "parent": None, "children": [system]},
            system: {"id": system, "message": self.message(hidden, hidden=True), "parent": ROOT, "children": first},
        }
        for message in conversation.messages.values():
            mapping[message.id] = {
                "id": message.id,
                "message": self.message(message),
                "parent": message.parent or system,
                "children": [child.id for child in conversation.children(message.id)],
            }
        return {
            "title": conversation.title,
            "create_time": conversation.created,
            "update_time": conversation.created,
            "mapping": mapping,
            "moderation_results": [],
            "current_node": conversation.current or system,
            "conversation_id": conversation.id,
            "is_archived": False,
            "safe_urls": [],
            "gizmo_id": None,
            "default_model_slug": "auto",
        }

    def page(self, conversation: Conversation, before: str | None) -> dict[str, Any]:
        """The turns before the message `before`, or the last ones."""
        branch = conversation.branch()
        end = next((at for at, message in enumerate(branch) if message.id == before), len(branch))
        begins = [at for at, message in enumerate(branch[:end]) if message.role == "user"][-PAGE_TURNS:]
        begin = begins[0] if begins else 0
        return {
            "conversation_id": conversation.id,
            "title": conversation.title,
            "create_time": conversation.created,
            "messages": [self.message(message) for message in branch[begin:end]],
            "page_info": {
                "has_previous_page": begin > 0,
                "has_next_page": end < len(branch),
                "start_cursor": branch[begin].id if branch else None,
            },
        }
