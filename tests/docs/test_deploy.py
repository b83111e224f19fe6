"""What `docs/how-to/deploy.md` shows is at least what its readers' programs can read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # schemathesis brings it

from farm.api.app import openapi
from farm.words.settings import DEFAULT_PORT, ServerSettings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "deploy.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def settings(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"DISTREN_([A-Z_]+)", text)} - {"config"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="There is no systemd-analyze here.")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    (text,) = blocks("ini")
    unit = tmp_path / "distren-server.service"
    # What is not installed here, is not what is tested.
    unit.write_text(text.replace("/opt/distren/bin/distren", "/bin/true").replace("User=distren", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert str(unit.name) not in done.stderr + done.stdout, done.stderr


def test_settings_in_the_examples_exist() -> None:
    named = settings(PAGE.read_text("utf-8"))
    assert {"database", "storage", "peering_key", "proxies"} <= named <= set(ServerSettings.model_fields)


def test_the_examples_are_whole() -> None:
    compose, kubernetes = blocks("yaml")
    made: dict[str, Any] = yaml.safe_load(compose)
    one, two = (made["services"][name]["environment"] for name in ("one", "two"))
    assert {key for key in one if one[key] != two[key]} == {"DISTREN_DATA"}, "each has a folder of its own, and no more"
    kinds = [part["kind"] for part in yaml.safe_load_all(kubernetes)]
    assert kinds == ["Deployment", "Service"]


def test_kubernetes_asks_what_the_server_answers_where_it_listens() -> None:
    deployment, service = yaml.safe_load_all(blocks("yaml")[1])
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    assert {probe["path"] for probe in probes} <= openapi()["paths"].keys()
    ports = [probe["port"] for probe in probes] + [container["ports"][0]["containerPort"]]
    assert {*ports, service["spec"]["ports"][0]["targetPort"]} == {DEFAULT_PORT}
    assert container["args"] == yaml.safe_load(re.findall("^CMD (.*)", blocks("dockerfile")[0], re.MULTILINE)[0])
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    given = {one["name"]: one["value"] for one in container["env"]}
    assert given["DISTREN_PEERING_KEY"] == f"{mounted['keys']}/peering.key"
    assert f"ENV DISTREN_DATA={mounted['data']}\n" in blocks("dockerfile")[0]


def test_nginx_in_containers_says_what_nginx_elsewhere_says() -> None:
    elsewhere = (PAGE.parent / "behind-a-proxy.md").read_text("utf-8")
    (location,) = re.findall(r"^    location /farm/ \{\n(.*?)^    \}", elsewhere, re.DOTALL | re.MULTILINE)
    wanted = location.replace("http://127.0.0.1:8282", "http://farm")
    assert wanted in blocks("nginx")[0]
