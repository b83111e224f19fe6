"""SimpleSlave: a whole slave, to read, to try, and to translate. slave-protocol.md beside it explains each step.

    pip install httpx; python simple_slave.py http://server:8282 KEY PASSWORD /usr/bin/blender

One Blender per frame, no cache, no sandbox: only for jobs of people whom you trust.
"""

import contextlib, hashlib, io, os, pathlib, re, subprocess, sys, tarfile, tempfile, time  # noqa: E401

import httpx


class SimpleSlave:
    def __init__(self, server, key, password, blender):
        self.http = httpx.Client(base_url=server, timeout=30, trust_env=False)
        self.key, self.password, self.blender = key, password, blender
        said = subprocess.run([blender, "--version"], capture_output=True, text=True, check=True).stdout
        self.version = re.search(r"Blender (\d+\.\d+\.\d+)", said)[1]
        self.seq, self.queue, self.ends, self.beat = 0, [], {"finished": [], "failed": []}, 5.0

    def login(self):
        offer = {"method": "blender", "version": self.version, "engines": ["CYCLES"]}
        machine = {"cores": os.cpu_count() or 1, "memory_bytes": 8 * 10**9}
        wish = {"key": self.key, "password": self.password, "version": "0.1.0", "slots": 1}
        welcome = self.ask("POST", "/api/slave/login", json={**wish, "hardware": machine, "offers": [offer]}).json()
        self.http.headers["Authorization"] = f"Bearer {welcome['token']}"

    def ask(self, verb, path, patience=30, **what):
        """Ask until the server answers: it may be restarted at any time, and frames must not suffer from it."""
        pause = 0.5
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.request(verb, path, timeout=patience, **what)
                if answer.status_code not in (502, 503, 504):
                    break
            time.sleep(pause := min(60.0, pause * 2))
        if answer.status_code == 401 and not path.endswith("/login"):
            self.login()  # attempts stay this slave's own
        elif answer.status_code == 409 and answer.json()["code"] == "slave_key_in_use":
            time.sleep(15)  # the slave that used this key before is not forgotten yet
        else:
            return answer.raise_for_status()
        return self.ask(verb, path, patience, **what)

    def report(self, hold=0.0, running=None):
        """The one call: say all that is held and has ended, hear what to do. Return the attempts to stop."""
        self.seq = max(self.seq + 1, int(time.time() * 1000))
        holding = [frame["attempt"] for _, frame in self.queue]
        said = {"seq": self.seq, "hold": hold, "want": 0 if running or self.queue else 1, "holding": holding} | self.ends
        said |= {"running": [running], "state": "rendering"} if running else {}
        orders = self.ask("POST", "/api/slave/next", hold + 30, json=said).json()
        again = {v["attempt"] for v in orders["verdicts"] if v["verdict"] == "again"}
        self.ends = {"finished": [end for end in self.ends["finished"] if end["attempt"] in again], "failed": []}
        self.beat = orders["heartbeat_seconds"]
        self.queue += [(lease["job"], frame) for lease in orders["leases"] for frame in lease["frames"]]
        self.queue = [item for item in self.queue if item[1]["attempt"] not in orders["revoked"]]
        return orders["revoked"]

    def render(self, job, frame, folder):
        """Fetch a job's files, have Blender render one frame, and note how that ended."""
        sheet = self.ask("GET", f"/api/slave/jobs/{job}").json()
        for file in sheet["files"]:
            path = folder / "job" / file["path"]  # the server has checked that it leads nowhere else
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.ask("GET", f"/api/slave/blobs/{file['sha256']}", params={"job": job}).content)
        attempt, picture, began = frame["attempt"], str(frame["picture"]), time.monotonic()
        argv = [self.blender, "-b", "--factory-startup", "-Y", str(folder / "job" / sheet["source"])]
        argv += ["-o", str(folder / "out" / "####"), "-x", "1", "-f", picture]
        with (folder / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as blender:
            while blender.poll() is None:
                if attempt in self.report(running={"attempt": attempt, "seconds": time.monotonic() - began}):
                    return blender.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    blender.wait(self.beat / 2)
        pictures = sorted((folder / "out").glob("*")) if blender.returncode == 0 else []
        if not pictures:  # Blender's exit code alone does not say that there is a picture
            log, why = (folder / "log").read_text(errors="replace"), f"Blender ended with {blender.returncode}."
            failed = {"attempt": attempt, "failure_class": "slave", "message": why, "log": log[-60_000:]}
            return self.ends["failed"].append(failed)
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as result:
            for path in pictures:
                result.add(path, f"output/{path.name}")
        body, end = tar.getvalue(), {"attempt": attempt, "seconds": time.monotonic() - began}
        end["sha256"] = hashlib.sha256(body).hexdigest()
        self.ask("PUT", f"/api/slave/results/{attempt}", 120, params={"sha256": end["sha256"]}, content=body)
        self.ends["finished"].append(end)

    def run(self):
        self.login()
        while True:
            self.report(hold=0.0 if any(self.ends.values()) else self.beat)
            while self.queue:
                with tempfile.TemporaryDirectory() as folder:
                    self.render(*self.queue.pop(0), pathlib.Path(folder))


if __name__ == "__main__":
    SimpleSlave(*sys.argv[1:5]).run()
