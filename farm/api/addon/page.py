"""How to install the add-on: a plain page until there is a dashboard."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from farm.api.docspage import head
from farm.package.addon import NAME


def page(server: str) -> str:
    """Return the page.

    Args:
        server: the server's address, as the browser knows it.
    """
    # What Blender looks for when a link is dropped onto its window.
    dropped = urlencode({"repository": "./index.json", "blender_version_min": "4.2.0"})
    return (
        f"{head('Render on Farm: the add-on for Blender')}<h1>Render on Farm</h1>"
        "<p>The add-on sends what is open in Blender to this farm, and brings the pictures back.</p>"
        "<h2>Blender 4.2 and newer</h2>"
        f'<p>Drag this link into Blender’s window: <a href="/addon/{NAME}?{escape(dropped)}">{NAME}</a>. '
        "Or add a repository in Blender, which then keeps the add-on current: Edit, Preferences, Get Extensions, "
        f"Repositories, +, Add Remote Repository, <code>{escape(server)}/addon/index.json</code></p>"
        "<h2>Blender 3.3 to 4.1</h2>"
        '<p>Download <a href="/addon.zip">addon.zip</a> and leave it packed; then Edit, Preferences, Add-ons, Install, '
        "and tick <b>Render: DistRen</b>.</p>"
        "<h2>Then</h2>"
        "<p>In the output properties there is now a panel <b>Render on Farm</b>. Its server is "
        f"<code>{escape(server)}</code></p></html>\n"
    )
