"""What a program does that uses MemOS's own Python SDK, as `python memos_client.py URL TOKEN`; prints one JSON object.

The SDK's import chain asks for `transformers`, which its API client never uses: a stub spares us torch.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import types

stub = types.ModuleType("transformers")
stub.__getattr__ = lambda name: type(name, (), {})  # type: ignore[method-assign]
sys.modules["transformers"] = stub

with contextlib.redirect_stdout(sys.stderr):
    from memos.api.client import MemOSClient

CHOICE = [
    {
        "role": "user",
        "content": "I've decided to go to Guangzhou for the summer vacation. Which chain hotels could I stay at?",
        "chat_time": "2025-06-10 09:00:00",
    },
    {
        "role": "assistant",
        "content": "You could consider 7 Days Inn, All Seasons, or Hilton.",
        "chat_time": "2025-06-10 09:00:10",
    },
    {"role": "user", "content": "I'll go with 7 Days Inn.", "chat_time": "2025-06-10 09:01:00"},
    {
        "role": "assistant",
        "content": "Okay, 7 Days Inn it is. Ask me if you have other questions.",
        "chat_time": "2025-06-10 09:01:10",
    },
]
QUESTION = (
    "I want to go out during the National Day holiday."
    " Recommend a city I haven't been to and a hotel brand I haven't stayed at."
)
USER, CONVERSATION = "memos_user_123", "0610"

url, token = sys.argv[1:]
with contextlib.redirect_stdout(sys.stderr):
    client = MemOSClient(api_key=token, base_url=f"{url}/api/openmem/v1")
    added = client.add_message(messages=CHOICE, user_id=USER, conversation_id=CONVERSATION)
    deadline = time.monotonic() + 120
    while True:
        status = client.get_task_status(added.data.task_id)
        if status.data.status != "running" or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    found = client.search_memory(query=QUESTION, user_id=USER, conversation_id="0928")
print(
    json.dumps(
        {"added": added.model_dump(), "status": status.model_dump(), "found": found.model_dump()},
        default=str,
        ensure_ascii=False,
    )
)
