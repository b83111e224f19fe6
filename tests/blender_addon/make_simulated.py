"""A scene for make_installed.py: the three ways of sending what simulates."""

from __future__ import annotations

import importlib
from typing import Any

import bpy

OPS = bpy.ops.distren


def play(server: Any, invite: Any, fall: Any, home: Any) -> Any:
    OPS.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    bpy.ops.wm.open_mainfile(filepath=fall)
    said = {order: sent_anyway(order, f"{home}/{order}") for order in ("in_order", "bake")}
    said["asks"] = refusal(f"{home}/now")
    offered = module("panels").FIXES["physics"][0].partition(".")[2]
    getattr(OPS, offered)()
    OPS.submit(frames="3-9x3, 11-12", device="cpu", folder=f"{home}/now", wait=True)
    return said


def sent_anyway(order: str, folder: str) -> str:
    """Press a button below what was found, and wait for the pictures; return what was found."""
    found = refusal(folder)
    OPS.send_anyway(order=order)
    module("sendoperators").wait_for(Complaining())
    return found


def refusal(folder: str) -> str:
    try:
        OPS.submit(frames="3-9x3, 11-12", device="cpu", folder=folder)
    except RuntimeError as error:
        return str(error)
    return ""


def module(name: str) -> Any:
    return importlib.import_module(f"{ADDON}.ui.{name}")  # type: ignore[name-defined]  # noqa: F821


class Complaining:
    """Stands for an operator that reports."""

    def report(self, _kind: Any, text: str) -> None:
        raise RuntimeError(text)
