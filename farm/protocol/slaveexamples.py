"""Examples of what people see of slaves, and have them do."""

from __future__ import annotations

from typing import Any

_NOON = "2026-11-22T12:00:00Z"

SLAVES: dict[str, Any] = {
    "DoubtView": {
        "attempt": 4711,
        "slave": "ws07",
        "owner": "eve",
        "address": "distren://home/12/23",
        "job": 12,
        "frame": 23,
        "at": _NOON,
        "build": "blender 4.5.2 0f3c5e9a71b2",
        "tile": "4x4/6",
        "said": "",
        "others": ["ws01", "ws02"],
        "picture": "/api/doubts/4711/checked",
        "other": "/api/doubts/4711/other",
    },
    "SendErrand": {"errand": "rest", "seconds": 7200},
    "ErrandOrder": {"number": 7, "errand": "log", "seconds": 0},
    "ErrandWord": {"number": 7, "stage": "done", "message": "The last 212 lines.", "text": "…"},
    "ErrandView": {
        "number": 7,
        "errand": "log",
        "by": "ada",
        "stage": "done",
        "message": "The last 212 lines.",
        "at": _NOON,
        "said": _NOON,
        "shows": True,
    },
    "ErrandText": {"text": "2026-11-22T12:00:00Z [info] frame done\n"},
    "Load": {
        "cpu": 0.87,
        "memory_used": 9_100_000_000,
        "disk_bytes": 500_000_000_000,
        "disk_free": 212_000_000_000,
        "cache_bytes": 18_400_000_000,
    },
    "BuildsTrusted": {"builds": ["blender 4.5.2 0f3c5e9a71b2"]},
}
"""An example by the name of its message."""
