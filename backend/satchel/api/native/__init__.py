"""The native API (`/v1`)."""

from satchel.api.native.backups import BackupController
from satchel.api.native.capture import CaptureController
from satchel.api.native.clients import ClientController
from satchel.api.native.conversations import ConversationController
from satchel.api.native.dashboard import DashboardController
from satchel.api.native.decisions import DecisionController
from satchel.api.native.forget import ForgetController
from satchel.api.native.memories import MemoryController
from satchel.api.native.models import ModelController
from satchel.api.native.pairing import PairController, PairingController
from satchel.api.native.pictures import PicturesController
from satchel.api.native.recall import RecallController
from satchel.api.native.rederive import RederiveController
from satchel.api.native.settings import SettingController
from satchel.api.native.state import StateController, health

__all__ = [
    "BackupController",
    "CaptureController",
    "ClientController",
    "ConversationController",
    "DashboardController",
    "DecisionController",
    "ForgetController",
    "MemoryController",
    "ModelController",
    "PairController",
    "PairingController",
    "PicturesController",
    "RecallController",
    "RederiveController",
    "SettingController",
    "StateController",
    "health",
]
