"""A farm whose server is two processes on one database, behind a real nginx, as the documentation says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from farm.client.farmclient import FarmClient
from tests.farm.farm import Farm, Process
from tests.ports import free_port
from tests.server.test_underpath import NGINX, answers

_DOCS = Path(__file__).parents[2] / "docs" / "how-to"
_INDENTED = r"^    ({} \{{\n.*?^    \}})"


def documented(page: str, block: str) -> str:
    """Return a block of nginx's settings as a page of the documentation has it."""
    pattern = _INDENTED.format(re.escape(block))
    return re.findall(pattern, (_DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)[0]


class BalancedFarm(Farm):
    """A farm of two server processes; `url` is the balancer's."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.ports = [free_port(), free_port()]
        self.processes: dict[int, Process] = {}
        self.codes: dict[int, Path] = {}
        """Folders of other DistRens, by the place of the process that runs them."""
        self.balancer: subprocess.Popen[bytes] | None = None
        shared = {"peering_key": str(folder / "peering.key"), "announce": "false"}
        if "bucket" not in settings:
            shared["storage"] = str(self.storage_of(folder))
        super().__init__(folder, database_url, behind_proxy="true", free_space="0", **shared, **settings)

    def start_server(self) -> Process:
        """Start both processes, and nginx in front of them."""
        for place in range(2):
            self.start_process(place)
        self._balance()
        return self.processes[0]

    def start_process(self, place: int) -> Process:
        """Start one process, or start it again; return when it answers."""
        variables = {f"DISTREN_{name.upper()}": value for name, value in self.settings.items()}
        variables |= {"DISTREN_DATABASE": self.database_url, "DISTREN_PUBLIC_URL": self.url}
        if place in self.codes:
            variables |= {"PYTHONPATH": str(self.codes[place]), "PYTHONSAFEPATH": "1"}
        port, data = self.ports[place], str(self.folder / f"data{place}")
        verb = ["server", "--json", "--data", data, "--host", "127.0.0.1", "--port", str(port)]
        self.processes[place] = Process(f"server{place}", verb, variables, self.folder)
        with self.direct(place) as client:
            self.until(lambda: self.answers(client), 60, f"process {place} answers")
        return self.processes[place]

    @property
    def doors(self) -> list[tuple[str, Process]]:
        """Where each process is reached, past the balancer."""
        return [(f"http://127.0.0.1:{port}", self.processes[place]) for place, port in enumerate(self.ports)]

    def direct(self, place: int, token: str | None = None) -> FarmClient:
        """Return a client of one process, past the balancer."""
        return FarmClient(f"http://127.0.0.1:{self.ports[place]}", token)

    @property
    def storage(self) -> Path:
        """The folder that both share."""
        return self.storage_of(self.folder)

    @staticmethod
    def storage_of(folder: Path) -> Path:
        """Return the same, before the farm is made."""
        return folder / "storage"

    def caretaker(self) -> int | None:
        """Return which process said last that it does the periodic work."""
        said = {}
        for place in self.processes:
            lines = (self.folder / f"server{place}.log").read_text().splitlines()
            said |= {line.partition('"timestamp":')[2]: place for line in lines if "does the periodic work" in line}
        return said[max(said)] if said else None

    def answers_of(self, status: str) -> list[str]:
        """Return which requests the balancer answered with such a status, e.g. 5: all that begin with it."""
        return [line for line in (self.folder / "access").read_text().splitlines() if line.startswith(status)]

    def close(self) -> None:
        """Kill everything that is left."""
        if self.balancer is not None:
            self.balancer.terminate()
            self.balancer.wait(30)
        for process in self.processes.values():
            process.popen.kill()
            process.popen.wait()
        super().close()

    def _balance(self) -> None:
        upstream, location = (
            documented("many-processes.md", "upstream farm"),
            documented("behind-a-proxy.md", "location /farm/"),
        )
        for place, port in enumerate((8283, 8284)):
            upstream = upstream.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[place]}")
        location = location.replace("/farm/", "/").replace("http://127.0.0.1:8282", "http://farm")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {self.folder};" for kind in kinds)
        log = f"log_format short '$status $request'; access_log {self.folder}/access short;"
        (self.folder / "nginx.conf").write_text(
            f"user root; pid {self.folder}/pid; error_log {self.folder}/nginx.log; events {{}}\n"
            f"http {{ {log} {temporary}\n{upstream}\n"
            f"server {{ listen 127.0.0.1:{self.port};\n{location}\n}} }}\n"
        )
        command = [NGINX, "-c", self.folder / "nginx.conf", "-p", self.folder, "-g", "daemon off;"]
        self.balancer = subprocess.Popen(command)
        answers(self.port)
