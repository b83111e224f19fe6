"""One example for each message, for those who read `/openapi.json`; a test keeps them valid."""

from __future__ import annotations

from typing import Any

_WOOD = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SHOT = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
_NOON = "2026-11-22T12:00:00Z"

_USER = {"name": "ada", "role": "admin", "created": _NOON, "stored_bytes": 73_400_320, "quota_bytes": 200_000_000_000}
_REQUIRES = {"method": "blender", "version": "4.5", "newer": False, "engine": "CYCLES"}
_FILES = [
    {"path": "shot.blend", "sha256": _SHOT, "size": 1_843_200, "frames": None},
    {"path": "textures/wood.png", "sha256": _WOOD, "size": 524_288, "frames": None},
]
_COUNTS = {"blocked": 0, "ready": 100, "leased": 8, "done": 142, "failed": 0, "canceled": 0}
_JOB = {
    "job": 12,
    "address": "distren://home/12",
    "name": "shot",
    "owner": "ada",
    "state": "rendering",
    "pause_reason": None,
    "waiting": ["All fitting slaves are busy."],
    "message": "",
    "requires": _REQUIRES,
    "pinned": "4.5.4",
    "settings": {"samples": 128},
    "source": "shot.blend",
    "priority": 50,
    "project": "autumn",
    "comment": "",
    "max_slaves": None,
    "slaves": [],
    "not_slaves": ["ws03"],
    "approval": False,
    "order": "any",
    "counts": _COUNTS,
    "frames": "1-250",
    "created": _NOON,
    "queued": _NOON,
    "started": _NOON,
    "ended": None,
    "seconds_per_frame": 31.5,
    "frames_per_second": 0.25,
    "eta_seconds": 432.0,
    "missing_bytes": 0,
    "total_bytes": 2_367_488,
}
_OUTPUT = {"frame": 24, "name": "shot_0024.png", "sha256": _WOOD, "size": 524_288}
_ATTEMPT = {
    "attempt": 4711,
    "slave": "ws01",
    "state": "won",
    "issued": _NOON,
    "started": _NOON,
    "ended": _NOON,
    "seconds": 31.5,
    "cpu_seconds": 240.2,
    "peak_memory_bytes": 1_610_612_736,
    "failure_class": None,
    "message": "",
    "progress": 1.0,
    "has_log": True,
}
_FRAME = {
    "frame": 24,
    "address": "distren://home/12/24",
    "picture": 24,
    "state": "done",
    "message": "",
    "waiting": "",
    "slave": "ws01",
    "progress": 1.0,
    "seconds": 31.5,
    "uniform": False,
    "files": [_OUTPUT],
    "attempts": [_ATTEMPT],
}
_HARDWARE = {"hostname": "ws01", "system": "Linux 6.1", "cores": 16, "memory_bytes": 68_719_476_736, "devices": []}
_OFFER = {"method": "blender", "version": "4.5.4", "engines": ["CYCLES", "BLENDER_EEVEE_NEXT"], "detail": "blender"}
_LEASE = {
    "lease": 88,
    "job": 12,
    "revision": 1,
    "frames": [{"attempt": 4711, "number": 24, "picture": 24}],
    "deadline": _NOON,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Register": {"name": "ada", "passphrase": "correct horse battery", "invite": "CODE", "device": "laptop"},
    "LogIn": {"name": "ada", "passphrase": "correct horse battery", "device": "laptop"},
    "LoginGranted": {"token": "TOKEN", "user": _USER, "server": "home"},
    "UserView": _USER,
    "MakeInvite": {"uses": 1, "days": 7, "role": "user"},
    "InviteMade": {"code": "CODE", "uses": 1, "expires": _NOON, "role": "user"},
    "ServerInfo": {
        "name": "home",
        "version": "0.1.0",
        "profile": "studio",
        "registration": "invite",
        "methods": ["blender", "sleep"],
    },
    "Submission": {
        "name": "shot",
        "requires": _REQUIRES,
        "settings": {"samples": 128},
        "source": "shot.blend",
        "frames": "1-250x2,300",
        "files": _FILES,
        "priority": 50,
        "project": "autumn",
    },
    "Receiving": {"job": 12, "address": "distren://home/12", "missing": [_WOOD]},
    "UploadOffset": {"offset": 1_048_576},
    "BlobKept": {"sha256": _WOOD, "size": 524_288},
    "CheckReport": {
        "problems": [],
        "warnings": [],
        "fitting_slaves": ["ws01"],
        "missing_bytes": 524_288,
        "frames": 126,
    },
    "JobChange": {"priority": 80, "add_frames": "251-300", "remove_slaves": ["ws03"], "max_slaves": 5},
    "JobCommand": {"frames": "17,24-30", "confirmed": False},
    "JobView": _JOB,
    "JobPage": {"jobs": [_JOB], "next": None},
    "FrameView": _FRAME,
    "FrameTiming": {
        "address": "distren://home/12/24",
        "began": _NOON,
        "attempt": 4711,
        "slave": "ws01",
        "spans": [{"step": "queue", "at": 2.1, "seconds": 0.04}, {"step": "render", "at": 3.5, "seconds": 31.5}],
    },
    "JobTiming": {
        "address": "distren://home/12",
        "began": _NOON,
        "frames": 142,
        "queued": 2.1,
        "first_lease": 2.14,
        "first_result": 35.2,
        "last_result": 612.0,
        "home": 612.9,
        "steps": [{"step": "render", "frames": 142, "median": 31.5, "total": 4473.0}],
    },
    "FramePage": {"frames": [{**_FRAME, "attempts": []}], "next": None},
    "OutputPage": {"files": [_OUTPUT], "next": None},
    "MakeSlaveKey": {"name": "ws01"},
    "SlaveKeyMade": {"name": "ws01", "key": "KEY", "password": "PASSWORD"},
    "SlaveView": {
        "name": "ws01",
        "owner": "ada",
        "state": "rendering",
        "version": "0.1.0",
        "slots": 1,
        "hardware": _HARDWARE,
        "offers": [_OFFER],
        "last_seen": _NOON,
        "running": ["distren://home/12/24"],
        "frames_done": 142,
        "message": "",
    },
    "SlaveLogin": {
        "key": "KEY",
        "password": "PASSWORD",
        "version": "0.1.0",
        "slots": 1,
        "hardware": _HARDWARE,
        "offers": [_OFFER],
    },
    "SlaveWelcome": {"token": "TOKEN", "name": "ws01", "server": "home", "heartbeat_seconds": 5.0},
    "Report": {"seq": 7, "hold": 5, "want": 1, "state": "idle"},
    "Orders": {"leases": [_LEASE], "revoked": [], "verdicts": [], "heartbeat_seconds": 5.0},
    "JobSheet": {
        "job": 12,
        "revision": 1,
        "address": "distren://home/12",
        "name": "shot",
        "method": "blender",
        "version": "4.5",
        "newer": False,
        "engine": "CYCLES",
        "settings": {"samples": 128, "scripts": True},
        "source": "shot.blend",
        "limits": {"render_seconds": None, "silence_seconds": None},
        "circle": "user-7",
        "files": _FILES,
    },
    "ResultStaged": {"attempt": 4711, "sha256": _SHOT, "size": 534_528},
}
"""An example by the name of its message."""
