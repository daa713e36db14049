"""The server's side of Grok: JSON lines for a prompt; a conversation in two steps, its nodes and their texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response

REST = "/rest/app-chat/conversations"
OF_CONVERSATION = re.compile(rf"{REST}/([0-9a-f-]{{36}})/(responses|response-node|load-responses)")
SENDERS = {"user": "human", "assistant": "ASSISTANT"}


class Grok(ChatSite):
    id = "grok"
    name = "Grok"
    hosts = ("grok.com",)

    def path(self, conversation_id: str) -> str:
        return f"/c/{conversation_id}"

    def handle(self, request: Request) -> Response | None:
        if request.method == "GET" and request.path == REST:
            return self.json({"conversations": [self.summary(kept) for kept in self.listed()]})
        if request.method == "POST" and request.path == f"{REST}/new":
            return self.prompt(None, request)
        found = OF_CONVERSATION.fullmatch(request.path)
        if not found:
            return None
        conversation = self.conversations.get(found[1])
        if conversation is None:
            return self.json({"code": 5, "message": "Conversation not found"}, 404)
        if found[2] == "responses":
            return self.prompt(conversation, request)
        if found[2] == "response-node":
            return self.json({"responseNodes": [self.node(each) for each in conversation.messages.values()]})
        wanted = request.json()["responseIds"]
        loaded = [self.message(each) for each in conversation.messages.values() if each.id in wanted]
        return self.json(self.shaped("history", {"responses": loaded}))

    def prompt(self, conversation: Conversation | None, request: Request) -> Response:
        asked = request.json()
        new = conversation is None
        with self.lock:
            if conversation is None:
                conversation = Conversation(self.new_id(), "New conversation", self.now())
                conversation.temporary = asked["temporary"]
                self.conversations[conversation.id] = conversation
            text = asked["message"]
            self.receive(conversation.id, text, request)
            user = conversation.add(Message(self.new_id(), asked.get("parentResponseId"), "user", text, self.now()))
            answer = conversation.add(Message(self.new_id(), user.id, "assistant", "", self.now()))
            said = self.take_answer()
            if new:
                conversation.title = f"About {text[:24]}"
        events = self.events(conversation, user, answer, said, new)
        return self.stream((f"{json.dumps(self.shaped('event', event))}\n" for event in events), "application/json")

    def events(
        self, conversation: Conversation, user: Message, answer: Message, said: str, new: bool
    ) -> Iterator[dict[str, Any]]:
        """In a new conversation everything of a response stands one level deeper."""

        def told(**response: Any) -> dict[str, Any]:
            return {"result": {"response": response} if new else response}

        at = {"isThinking": False, "isSoftStop": False, "responseId": answer.id}
        if new:
            yield {"result": {"conversation": {**self.summary(conversation), "temporary": conversation.temporary}}}
        yield told(userResponse=self.message(user), isThinking=False, isSoftStop=False, responseId=user.id)
        yield told(uiLayout={"reasoningUiLayout": "SPLIT", "willThinkLong": False}, **at)
        thinking = {**at, "isThinking": True}
        yield told(token="Thinking about your request", messageTag="header", **thinking)
        for piece in self.write(answer, said):
            yield told(token=piece, messageTag="final", **at)
        yield told(modelResponse=self.message(answer), **at)
        if new:
            yield {"result": {"title": {"newTitle": conversation.title}}}

    def summary(self, conversation: Conversation) -> dict[str, Any]:
        created = time(conversation.created)
        return {"conversationId": conversation.id, "title": conversation.title, "starred": False, "createTime": created}

    def node(self, message: Message) -> dict[str, Any]:
        parent = {} if message.parent is None else {"parentResponseId": message.parent}
        return {"responseId": message.id, "sender": SENDERS[message.role], **parent}

    def message(self, message: Message) -> dict[str, Any]:
        return {
            **self.node(message),
            "message": message.text,
            "createTime": time(message.created),
            "manual": False,
            "partial": not message.finished,
            "isControl": False,
            "steps": [{"text": ["Thinking about your request"]}] if message.role == "assistant" else [],
            "cardAttachmentsJson": [],
            "fileAttachmentsMetadata": [],
        }


def time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
