"""What the last bits of a renderer's numbers depend on, beside the processor's name and the renderer itself."""

from __future__ import annotations

import platform
from pathlib import Path

_KERNELS = ("sse4_1", "avx", "avx2", "fma", "avx512f", "avx512vl", "asimd", "sve")
"""Instructions by which renderers, and the libraries that they use, choose among their kernels; /proc/cpuinfo's words.

A virtual machine may hide some of those that its processor is known for.
"""


def arithmetic(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the instructions that kernels are chosen by, and the library of functions: `avx2 fma, glibc 2.36`."""
    return ", ".join(filter(None, (" ".join(_instructions(cpuinfo)), _library())))


def _instructions(cpuinfo: Path) -> list[str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    said = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return sorted(set(said.partition(":")[2].split()).intersection(_KERNELS))


def _library() -> str:
    return " ".join(platform.libc_ver()).strip() or f"{platform.system()} {platform.mac_ver()[0] or platform.version()}"
