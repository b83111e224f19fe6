"""What hostile jobs would try. PROBE runs in any Python, also a renderer's; prints one line of JSON. ESCAPE runs in
Blender: it writes to OUTSIDE whenever it can, and leaves behind what would spoil the pictures of the next job.
"""

PROBE = r"""
import ctypes, json, os, socket, sys, time

def can(what):
    try:
        what()
        return "yes"
    except Exception as error:
        return type(error).__name__

def reach(port):
    socket.create_connection(("127.0.0.1", port), timeout=2).close()

def reach_local(name):
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(name)

def call(name, *values):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*values):
        raise OSError(ctypes.get_errno(), name)

def by_link(path, link):
    os.symlink(path, link)
    read(link)

def over_link(path, link):
    os.link(path, link)
    os.chmod(link, 0o666)
    write(link)

def read(path):
    return os.listdir(path) if os.path.isdir(path) else open(path).read()

def write_low(path):
    with open(path, "w") as stream:
        stream.write("-1000")

def write(path):
    with open(path, "w") as stream:
        stream.write("x")

facts = json.loads(os.environ.get("PROBE_FACTS") or open(FACTS).read())
said = {
    "connect": can(lambda: reach(facts["port"])),
    "resolve": can(lambda: socket.getaddrinfo("example.org", 80)),
    "read": {path: can(lambda: read(path)) for path in facts["read"]},
    "write": {path: can(lambda: write(path)) for path in facts["write"]},
    "local": can(lambda: reach_local(facts["socket"])),
    "abstract": can(lambda: reach_local("\0" + facts["socket"])),
    "link": can(lambda: by_link(facts["read"][0], facts["scratch"] + "/link")),
    "hard link": can(lambda: over_link(facts["file"], facts["scratch"] + "/hard")),
    "kill": can(lambda: os.kill(facts["pid"], 0)),
    "trace": can(lambda: call("ptrace", 16, facts["pid"], 0, 0)),
    "memory": can(lambda: read("/proc/%d/mem" % facts["pid"])),
    "terminal": can(lambda: open("/dev/tty")),
    "namespace": can(lambda: call("unshare", 0x10000000)),
    "mount": can(lambda: call("mount", b"/usr", b"/tmp", None, 4096, None)),
    "root": can(lambda: call("chroot", b"/tmp")),
    "priority": can(lambda: os.nice(-20)),
    "badness": can(lambda: write_low("/proc/self/oom_score_adj")),
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

ESCAPE = r"""
import builtins, os, sys, threading, time
import bpy

def spill(name):
    for path in (os.path.join(OUTSIDE, name), os.path.join(os.getcwd(), "door", name)):
        try:
            with open(path, "w") as stream:
                stream.write(name)
        except OSError:
            pass

def spoil(scene, *_):
    cube = bpy.data.objects.get("Cube")
    if cube is not None and scene.name != "Escaping":
        cube.scale = (3, 3, 3)
    spill("handler")

def out(scene, *_):
    scene.render.filepath = os.path.join(OUTSIDE, "picture")
    spill("writing")

def linger():
    while True:
        spill("thread")
        time.sleep(0.01)

try:
    os.symlink(OUTSIDE, os.path.join(os.getcwd(), "door"))
except OSError:
    pass
for handlers in (bpy.app.handlers.frame_change_pre, bpy.app.handlers.render_pre, bpy.app.handlers.load_post):
    handlers.append(bpy.app.handlers.persistent(spoil))
bpy.app.handlers.render_write.append(bpy.app.handlers.persistent(out))
bpy.app.driver_namespace["spill"] = lambda: spill("driver") or 0.0
places = [bpy.utils.user_resource("SCRIPTS", path="startup"), bpy.utils.script_paths()[0] + "/startup"]
places += [os.environ.get("HOME", "/") + "/.config/blender", os.environ.get("MESA_SHADER_CACHE_DIR", "/nowhere")]
for place in filter(None, places):
    try:
        os.makedirs(place, exist_ok=True)
        with open(place + "/spoiled.py", "w") as stream:
            stream.write("def register(): raise SystemExit(3)")
    except OSError:
        pass
bpy.types.Scene.frame_set = lambda *_: None
threading.Thread(target=linger, daemon=True).start()
spill("opening")
"""
