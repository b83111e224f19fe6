"""Which graphics cards and drivers a machine has, read without starting anything.

What was tried holds as long as these stay: a new driver may bring a card, or take one away.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterator
from pathlib import Path

_FACTS = (
    "proc/driver/nvidia/version",
    "proc/driver/nvidia/gpus/*/information",
    "sys/class/drm/card?/device/vendor",
    "sys/class/drm/card?/device/device",
    "sys/module/amdgpu/version",
    "usr/lib/*/libGL*mesa*.so.*",
    "usr/lib/*/libEGL*.so.*",
    "usr/lib/*/libcuda.so.*",
    "usr/lib*/libcuda.so.*",
)
"""Files that say it; of libraries, that they are there, and how large they are."""


def drivers(root: Path = Path("/")) -> str:
    """Return a short text that changes with the graphics cards and their drivers."""
    facts = sorted(_facts(root))
    return hashlib.sha256("\n".join([platform.version(), *facts]).encode()).hexdigest()[:16]


def _facts(root: Path) -> Iterator[str]:
    for pattern in _FACTS:
        for path in root.glob(pattern):
            try:
                said = str(path.stat().st_size) if "/lib" in str(path) else path.read_text(errors="replace")
            except OSError:
                continue
            yield f"{path} {said}"


_NVIDIA = re.compile(r"Kernel Module(?:\s+for\s+\S+)?\s+([\d.]+)")
_LIBRARIES = (
    "usr/lib/*/libze_intel_gpu.so.*.*",
    "usr/lib*/libze_intel_gpu.so.*.*",
    "opt/rocm*/lib/libamdhip64.so.*.*",
    "usr/lib/*/libamdhip64.so.*.*",
)
"""They compile the renderer's kernels, and have their versions in their names."""


def versions(root: Path = Path("/")) -> list[str]:
    """Return the drivers that compute on graphics cards here, with their versions, as far as these can be read.

    Another one may round otherwise. Read on Linux only; on macOS, Metal is a part of the system.
    """
    found = [f"nvidia {number}" for number in _nvidia(root)]
    found += [f"amdgpu {text}" for text in _texts(root / "sys/module/amdgpu/version")]
    found += [path.name for pattern in _LIBRARIES for path in root.glob(pattern)]
    if platform.system() == "Darwin":
        found.append(f"macOS {platform.mac_ver()[0]}")
    return sorted(set(found))


def _nvidia(root: Path) -> list[str]:
    return [number for text in _texts(root / "proc/driver/nvidia/version") for number in _NVIDIA.findall(text)]


def _texts(path: Path) -> list[str]:
    try:
        return [path.read_text(errors="replace").strip()]
    except OSError:
        return []
