"""Settings of server, slave and client: command line > environment > file > default.

Each field says what it is for; `docs/reference/settings.md` lists them all, and a test
compares the two. :func:`load` is the one way in: it turns every fault into
:class:`~farm.words.errors.BadSetting`, which names the setting, its source and the mend.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import EnvSettingsSource, SettingsConfigDict

from farm.words import settingsfile
from farm.words.bucketsettings import BucketSettings
from farm.words.errors import BadAddress, BadSetting
from farm.words.filesettings import FileSettings, Folder, Paths, Words
from farm.words.folders import config_file, user_folder
from farm.words.keepsettings import KeepSettings
from farm.words.names import server_name
from farm.words.settingfaults import Sources

DEFAULT_PORT = 8282
"""The port of a server, where nothing else is said."""


LogFormat = Literal["auto", "human", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class ServerSettings(KeepSettings, BucketSettings):
    """Settings of `distren server`; file `server.toml`, environment `DISTREN_…`."""

    file_name: ClassVar[str] = "server.toml"
    file_variable: ClassVar[str] = "DISTREN_CONFIG"
    model_config = SettingsConfigDict(env_prefix="DISTREN_")

    name: str = Field(
        "", description="The server's name, constant once given; empty: the stored one, at first the machine's name."
    )
    data: Folder = Field(
        default_factory=lambda: user_folder("data") / "server",
        description="Folder of everything that the server keeps.",
    )
    database: str = Field(
        "",
        description="Database URL, e.g. mysql+pymysql://user:password@host/distren, or …@/distren?host=a&host=b "
        "for the nodes of a cluster; empty: SQLite in the data folder.",
    )
    storage: Folder | None = Field(
        None, description="Folder of blobs and job folders; empty: `storage` in the data folder."
    )
    peering_key: Folder | None = Field(
        None,
        description="File with the keys by which other servers know this one, the same for all processes that share a "
        "database; empty: `peering.key` in the data folder.",
    )
    deliver: Folder | None = Field(
        None, description="Folder to which finished files are copied as frames finish, e.g. on a NAS; empty: none."
    )
    host: str = Field("0.0.0.0", description="Address to listen on; 0.0.0.0: all of this machine's IPv4 addresses.")  # noqa: S104  (a LAN's slaves must reach it; farm.server.safety watches)
    port: int = Field(DEFAULT_PORT, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    public_url: str = Field(
        "",
        description="How others reach this server, e.g. https://farm.example.org, or below a path of a proxy's, "
        "https://studio.example.org/farm; empty: host and port.",
    )
    ssl_certificate: Folder | None = Field(None, description="TLS certificate chain, PEM.")
    ssl_key: Folder | None = Field(None, description="TLS private key, PEM; readable by the server's user only.")
    behind_proxy: bool = Field(
        False, description="A proxy of yours in front of the server does TLS and sets X-Forwarded-For."
    )
    proxies: Words = Field(
        ["127.0.0.1"],
        description="Addresses of proxies whose X-Forwarded-For is believed. With “*” anybody may say "
        "where a call comes from.",
    )
    announce: bool = Field(
        True, description="Announce the server on the local network (mDNS), so that it is found by its name."
    )
    smtp_host: str = Field("", description="The mail server that takes notifications; empty: no mails are sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="The mail server's port.")
    smtp_security: Literal["starttls", "tls", "off"] = Field(
        "starttls", description="How the way to the mail server is encrypted; off: not at all."
    )
    smtp_user: str = Field("", description="The name at the mail server; empty: without a login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password at the mail server.")
    smtp_from: str = Field("", description="The sender of mails; empty: distren@ and the mail server's name.")
    notify_private: bool = Field(
        False, description="Users' webhooks may lead into private networks, such as this server's own."
    )
    peer_private: bool = Field(
        False, description="Other servers with which jobs are exchanged may be in private networks, such as this one's."
    )
    plain_http: bool = Field(False, description="Serve without TLS even on a public address: only behind a firewall.")
    profile: Literal["studio", "open"] = Field(
        "studio", description="studio: one team, everyone handles all jobs. open: strangers, each sees only their own."
    )
    registration: Literal["invite", "open", "closed"] = Field(
        "invite", description="Who may register: those with an admin's code, everybody, nobody."
    )
    scripts: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether scripts and drivers inside of .blend files run; "
        "auto: in studio yes, in open only on slaves that are contained, or the job's owner's own.",
    )
    quota: ByteSize = Field(
        ByteSize(200_000_000_000),
        gt=0,
        description="Bytes that a new user may keep stored, files and pictures, e.g. 200GB.",
    )
    file_limit: ByteSize = Field(ByteSize(200_000_000_000), gt=0, description="The largest single file of a job.")
    result_limit: ByteSize = Field(
        ByteSize(8_000_000_000), gt=0, description="The largest result of one frame, all files together."
    )
    request_limit: ByteSize = Field(
        ByteSize(300_000_000), gt=0, description="The largest JSON request (manifests of huge jobs)."
    )
    free_space: ByteSize = Field(
        ByteSize(2_000_000_000),
        ge=0,
        description="Free bytes on the storage disk below which /readyz says no and uploads stop.",
    )
    heartbeat_seconds: float = Field(5, gt=0, le=300, description="How often slaves report.")
    lost_after: int = Field(3, ge=2, le=100, description="Heartbeats without a word after which a slave is lost.")
    lease_seconds: float = Field(30, gt=0, le=86400, description="How many seconds of rendering one lease should hold.")
    job_share: float = Field(
        0.75,
        gt=0,
        le=1,
        description="In profile open: the part of all slots that one job may hold while others wait.",
    )
    user_slots: int = Field(
        0, ge=0, le=1_000_000, description="Slots that the jobs of one user may hold at a time; 0: any number."
    )
    attempts_limit: int = Field(5, ge=1, le=1000, description="Tries of a frame that may fail by slaves' fault.")
    farm_attempts_limit: int = Field(
        20, ge=1, le=1000, description="Tries of a frame that may fail by the farm's own fault."
    )
    render_seconds: float = Field(
        6 * 3600,
        gt=0,
        le=30 * 86400,
        description="Seconds after which a frame counts as hung, unless its job says otherwise; "
        "as soon as a slave has rendered 10 frames of the job: 10 times their median, at least 2 hours.",
    )
    silence_seconds: float = Field(
        900,
        gt=0,
        le=86400,
        description="Seconds without progress or CPU use after which a frame is hung, unless its job says otherwise.",
    )
    receiving_hours: float = Field(
        48, gt=0, description="Hours after which a job whose files stopped arriving is canceled."
    )
    log_level: LogLevel = Field("info", description="The least important messages that are logged.")
    log_format: LogFormat = Field("auto", description="human, json, or auto: human on a terminal.")

    @field_validator("name")
    @classmethod
    def _name_is_one(cls, value: str) -> str:
        try:
            return server_name(value) if value else value
        except BadAddress as error:
            raise ValueError(error.hint) from error

    @property
    def database_url(self) -> str:
        """The database that is used."""
        return self.database or f"sqlite:///{self.data / 'distren.sqlite3'}"

    @property
    def storage_folder(self) -> Path:
        """The folder of blobs and job folders."""
        return self.storage or self.data / "storage"

    @property
    def tls(self) -> bool:
        """The server does TLS itself."""
        return self.ssl_certificate is not None

    @property
    def scripts_run(self) -> bool:
        """Scripts inside of files may run; in profile `open` not everywhere."""
        return self.scripts != "off"


class SlaveSettings(FileSettings):
    """Settings of `distren slave`; file `slave.conf` (TOML), environment `DISTREN_SLAVE_…`."""

    file_name: ClassVar[str] = "slave.conf"
    file_variable: ClassVar[str] = "DISTREN_SLAVE_CONFIG"
    model_config = SettingsConfigDict(env_prefix="DISTREN_SLAVE_")

    server: str = Field(
        f"http://127.0.0.1:{DEFAULT_PORT}", description="The server's URL; distren://NAME: found on the local network."
    )
    key: str = Field("", description="The slave key, from `distren slave-key NAME`.")
    password: SecretStr = Field(SecretStr(""), description="The slave password that came with the key.")
    certificate: Folder | None = Field(
        None, description="A server certificate to trust (PEM), for servers that made their own."
    )
    slots: int = Field(
        1, ge=0, le=1024, description="Frames rendered on the processor at the same time; 0: on graphics cards only."
    )
    gpus: Words = Field(
        ["all"],
        description="Graphics cards to render on with Cycles, one frame at a time on each: all, none, or numbers "
        "(from 0), names or ids, as `distren doctor` shows them.",
    )
    gpu_kinds: Words = Field(
        ["OPTIX", "CUDA", "HIP", "METAL", "ONEAPI"],
        description="Ways to graphics cards that may be used; the first one that works with a card is taken.",
    )
    cache: Folder = Field(
        default_factory=lambda: user_folder("cache") / "slave", description="Folder of jobs' files, shared by all jobs."
    )
    cache_size: ByteSize = Field(ByteSize(50_000_000_000), gt=0, description="Bytes that the cache may use, e.g. 50GB.")
    work: Folder = Field(
        default_factory=lambda: user_folder("cache") / "work",
        description="Folder of job trees and of output that is being rendered.",
    )
    state: Folder = Field(
        default_factory=lambda: user_folder("state") / "slave",
        description="Folder of results not sent yet, and of the renderers' caches.",
    )
    methods: Words = Field(
        [],
        description="Render methods that are offered, where their renderers are found; empty: all but `sleep`. `image` "
        "and `video` alone: a slave that only puts tiles together and makes videos.",
    )
    blender: Paths = Field([], description="Blender programs to use; empty: those in PATH and the usual places.")
    bpy: Paths = Field([], description="Python programs whose environment has the bpy module, used as Blender.")
    povray: Paths = Field([], description="POV-Ray programs to use; empty: those in PATH and the usual places.")
    ffmpeg: Paths = Field([], description="ffmpeg programs to use; empty: the one in PATH.")
    tags: Words = Field([], description="Words that jobs may demand of their slaves, e.g. gpu,fast.")
    programs: Words = Field(
        [], description="Programs of other methods, each `METHOD=PATH`; empty: those in PATH and the usual places."
    )
    addons: Folder | None = Field(
        None, description="Folder of Blender add-ons that jobs may ask for; put only add-ons there that you trust."
    )
    provision: bool = Field(
        False, description="Install the bpy package by itself, from PyPI, in the version that a waiting job needs."
    )
    provision_size: ByteSize = Field(
        ByteSize(10_000_000_000), gt=0, description="Bytes that all packages installed so may use, e.g. 10GB."
    )
    upgrade: bool = Field(
        False,
        description="Let the server bring this slave up to date (`distren slaves upgrade`): its code is run here then.",
    )
    offline_seconds: float = Field(
        300, ge=0, description="Seconds that rendering goes on while the server can't be reached."
    )
    sandbox: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether renderers run in bubblewrap (Linux), without network and seeing only their job; "
        "auto: if it works here, required: refuse to start without.",
    )
    memory: ByteSize = Field(
        ByteSize(0), ge=0, description="The most memory of one renderer, e.g. 24GB; 0: nine tenths of the machine's."
    )
    cores: int = Field(
        0, ge=0, description="Processors that renderers may use, all together; 0: all. On Linux they can't use others."
    )
    accept: Literal["all", "friends", "mine"] = Field(
        "all", description="Whose jobs are rendered: everybody's, those of the owner and their friends, the owner's."
    )
    benchmark: Literal["auto", "off"] = Field(
        "auto", description="Whether the server may measure this slave by itself, while it idles."
    )
    processes: int = Field(512, ge=1, description="The most processes that one renderer may start.")
    nice: int = Field(5, ge=0, le=19, description="How much lower the renderers' priority is than the slave's own.")
    hours: str = Field(
        "", description="When this machine renders, e.g. mon-fri 18:00-08:00, sat-sun; empty: always. Else it rests."
    )
    zone: str = Field("", description="The time zone of `hours`, e.g. Europe/Berlin; empty: this machine's.")
    away_minutes: float = Field(
        0,
        ge=0,
        description="Minutes without keyboard and mouse after which this machine renders; 0: it does not matter.",
    )
    input_devices: Paths = Field([], description="Input devices that tell whether somebody is here; empty: all.")
    finish_seconds: float = Field(
        60,
        ge=0,
        description="Seconds that frames may go on rendering once the machine rests; then they are given back.",
    )
    recycle_frames: int = Field(500, ge=1, description="Frames after which a renderer is started anew.")
    recycle_memory: ByteSize = Field(
        ByteSize(4_000_000_000), gt=0, description="Growth in bytes after which a renderer is started anew."
    )
    free_space: ByteSize = Field(
        ByteSize(2_000_000_000),
        ge=0,
        description="Free bytes on the disks of work, state and cache below which the cache gives way, then rendering.",
    )
    log_level: LogLevel = Field("info", description="The least important messages that are logged.")
    log_format: LogFormat = Field("auto", description="human, json, or auto: human on a terminal.")


class ClientSettings(FileSettings):
    """Settings of the other verbs of `distren`; file `client.toml`, environment `DISTREN_…`."""

    file_name: ClassVar[str] = "client.toml"
    file_variable: ClassVar[str] = "DISTREN_CLIENT_CONFIG"
    model_config = SettingsConfigDict(env_prefix="DISTREN_")

    server: str = Field(
        "",
        description="The server's URL; distren://NAME: found on the local network; empty: the one last logged in to.",
    )
    token: SecretStr = Field(
        SecretStr(""), description="A token, for scripts; empty: the one that `distren login` kept."
    )
    tokens: Folder = Field(
        default_factory=lambda: user_folder("config") / "tokens.json",
        description="File in which logins are kept, mode 0600.",
    )
    blender: Paths = Field(
        [], description="Blender programs that read .blend files; empty: those in PATH and the usual places."
    )
    bpy: Paths = Field([], description="Python programs whose environment has the bpy module, used as Blender.")
    certificate: Folder | None = Field(
        None, description="A server certificate to trust (PEM), for servers that made their own."
    )
    uploads: int = Field(4, ge=1, le=64, description="Files sent or fetched at the same time.")
    remember_hashes: bool = Field(
        True, description="Don't read files again that have not changed since an earlier submission."
    )
    hashes: Folder = Field(
        default_factory=lambda: user_folder("cache") / "hashes.sqlite3",
        description="File in which hashes of your files are remembered; it may be removed at any time.",
    )
    timeout: float = Field(30, gt=0, description="Seconds without a byte after which a request is given up.")


S = TypeVar("S", bound=FileSettings)


def load(kind: type[S], file: Path | None = None, **given: Any) -> S:
    """Return settings from their four sources.

    Args:
        kind: which settings.
        file: the settings file of the command line; None: that of the environment, else the
            usual one, which may be missing.
        given: values of the command line; None means not given.

    Raises:
        BadSetting: the file can't be read, or a value is unknown, of the wrong type or out of limits.
    """
    named = file or _named_file(kind)
    if named is not None and not named.exists():
        raise BadSetting(f"The settings file “{named}” does not exist.", hint="Name another, or make it.")
    path = named or config_file(kind.file_name)
    from_file = settingsfile.read(path)
    from_environment = EnvSettingsSource(kind)()
    from_command = {key: value for key, value in given.items() if value is not None}
    try:
        return kind(**{**from_file, **from_environment, **from_command})
    except ValidationError as error:
        raise Sources(kind, path, from_environment.keys(), from_command.keys()).bad(error) from error


def _named_file(kind: type[FileSettings]) -> Path | None:
    named = os.environ.get(kind.file_variable)
    return Path(named).expanduser() if named else None
