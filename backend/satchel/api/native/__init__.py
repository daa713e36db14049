"""The native API (`/v1`)."""

from satchel.api.native.capture import CaptureController
from satchel.api.native.clients import ClientController
from satchel.api.native.conversations import ConversationController
from satchel.api.native.dashboard import DashboardController
from satchel.api.native.decisions import DecisionController
from satchel.api.native.forget import ForgetController
from satchel.api.native.memories import MemoryController
from satchel.api.native.pairing import PairController, PairingController
from satchel.api.native.recall import RecallController
from satchel.api.native.rederive import RederiveController
from satchel.api.native.state import StateController, health

__all__ = [
    "CaptureController",
    "ClientController",
    "ConversationController",
    "DashboardController",
    "DecisionController",
    "ForgetController",
    "MemoryController",
    "PairController",
    "PairingController",
    "RecallController",
    "RederiveController",
    "StateController",
    "health",
]
