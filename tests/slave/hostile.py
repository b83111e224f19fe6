"""What a hostile job would try. Runs in any Python, also a renderer's; prints one line of JSON."""

PROBE = r"""
import json, os, socket, sys, time

def can(what):
    try:
        what()
        return "yes"
    except Exception as error:
        return type(error).__name__

def reach(port):
    socket.create_connection(("127.0.0.1", port), timeout=2).close()

def read(path):
    return os.listdir(path) if os.path.isdir(path) else open(path).read()

def write(path):
    with open(path, "w") as stream:
        stream.write("x")

facts = json.loads(os.environ.get("PROBE_FACTS") or open(FACTS).read())
said = {
    "connect": can(lambda: reach(facts["port"])),
    "resolve": can(lambda: socket.getaddrinfo("example.org", 80)),
    "read": {path: can(lambda: read(path)) for path in facts["read"]},
    "write": {path: can(lambda: write(path)) for path in facts["write"]},
    "kill": can(lambda: os.kill(facts["pid"], 0)),
    "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "environment": dict(os.environ),
}
if os.fork() == 0:
    os.setsid()
    os.environ.clear()
    if os.fork() == 0:
        os.execv("/usr/bin/sleep", ["sleep", facts["mark"]])
    os._exit(0)
sys.stderr.write("PROBE " + json.dumps(said) + "\n")
sys.stderr.flush()
"""
