"""Run inside a Blender that has extensions: let it install and update the add-on, `-- LISTING OLDER ANSWER`.

LISTING is a server's, OLDER a zip of a former version. Without leave to use the network, nothing of it may happen.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from typing import Any

import bpy

LISTING, OLDER, ANSWER = sys.argv[sys.argv.index("--") + 1 :]


def refusal(action: Any) -> str:
    try:
        action()
    except RuntimeError as error:
        return str(error)
    return ""


def version(repository: Any) -> str:
    """Return the version that lies in a repository's folder; empty: none."""
    manifest = os.path.join(repository.directory, "distren", "blender_manifest.toml")
    if not os.path.isfile(manifest):
        return ""
    with open(manifest, "rb") as stream:
        return str(tomllib.load(stream)["version"])


def main() -> None:
    preferences = bpy.context.preferences
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    repository = preferences.extensions.repos.new(name="Farm", module="farm", remote_url=LISTING)
    number = list(preferences.extensions.repos).index(repository)
    preferences.system.use_online_access = True
    bpy.ops.extensions.repo_sync(repo_index=number)
    preferences.system.use_online_access = False
    refused = refusal(lambda: bpy.ops.extensions.package_install(repo_index=number, pkg_id="distren"))
    said = {"without leave": version(repository), "refused": refused}
    preferences.system.use_online_access = True
    bpy.ops.extensions.package_install(repo_index=number, pkg_id="distren", enable_on_install=True)
    said["installed"] = version(repository)
    said["modules"] = [addon.module for addon in preferences.addons if addon.module.endswith("distren")]
    bpy.ops.extensions.package_install_files(filepath=OLDER, repo="farm", overwrite=True, enable_on_install=True)
    said["older"] = version(repository)
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_upgrade_all()
    said["updated"] = version(repository)
    with open(ANSWER, "w", encoding="utf-8") as stream:
        json.dump(said, stream)
    sys.stdout.flush()
    os._exit(0)


main()
