"""What all tests share."""

from __future__ import annotations

import hypothesis

pytest_plugins = ["tests.databases", "tests.groups"]

# A test asserts no wall time, and a busy machine is no failure.
hypothesis.settings.register_profile("farm", deadline=None)
hypothesis.settings.load_profile("farm")
