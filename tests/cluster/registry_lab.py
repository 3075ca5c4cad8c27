"""Debian's real registry of container images, as the site's own, and what is pushed."""

import hashlib
import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from kqi_hub.devstack.directory import CA_FILE
from tests.cluster.stack import Stack, wait_until

SETTINGS = Path("/etc/kqi/kqi.toml")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_FETCHED = re.compile(r'"GET /v2/\S+/blobs/(sha256:[0-9a-f]{64})')


@dataclass
class RealRegistry:
    """One registry, open to everybody or to one name and password over TLS."""

    name: str
    folder: Path
    port: int
    login: tuple[str, str] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.login else 'http'}://{self.host}"

    @property
    def table(self) -> str:
        """Return what the site's settings say of it."""
        text = f'\n[[registry]]\nname = "{self.name}"\nkind = "private"\n'
        text += f'url = "{self.url}"\n'
        return text + (f'ca_file = "{CA_FILE}"\n' if self.login else "")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        file = self.folder / "config.yml"
        file.write_text(json.dumps(self._config()))  # JSON is YAML
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(file)], stdout=log, stderr=log
            )
        wait_until(self._answers, 20, lambda: (self.folder / "log").read_text())

    def stop(self) -> None:
        """End it: connections are refused."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def hang(self) -> None:
        """Freeze it: connections are accepted and never answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def push(
        self, repository: str, tag: str, layers: Sequence[bytes], env: Sequence[str]
    ) -> str:
        """Push an image by its API; return the digest that it is known by."""
        about = {"architecture": "amd64", "os": "linux", "config": {"Env": [*env]}}
        with self._client() as client:
            config = json.dumps(about | {"rootfs": {"type": "layers", "diff_ids": []}})
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _blob(client, repository, config.encode(), _CONFIG),
                "layers": [_blob(client, repository, one, _LAYER) for one in layers],
            }
            answer = client.put(
                f"/v2/{repository}/manifests/{tag}",
                content=json.dumps(manifest).encode(),
                headers={"Content-Type": MANIFEST},
            )
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Docker-Content-Digest"])

    def fetched(self) -> list[str]:
        """Return the files that it was asked for, in that order, by its own log."""
        return _FETCHED.findall((self.folder / "log").read_text(errors="replace"))

    def _client(self) -> httpx2.Client:
        trusted = ssl.create_default_context(cafile=str(CA_FILE))
        return httpx2.Client(
            base_url=self.url, auth=self.login, verify=trusted, timeout=30
        )

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return client.get("/v2/").status_code == 200
        except httpx2.TransportError:
            return False

    def _config(self) -> dict[str, object]:
        http: dict[str, object] = {"addr": f"127.0.0.1:{self.port}", "secret": "x"}
        told: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "kept")}},
            "http": http,
        }
        if self.login:
            own = CA_FILE.parent
            http["tls"] = {
                "certificate": str(own / "server.pem"),
                "key": str(own / "server.key"),
            }
            people = self.folder / "people"
            people.write_text(_line_of(*self.login))
            told["auth"] = {"htpasswd": {"realm": "lab", "path": str(people)}}
        return told


@contextmanager
def registries(stack: Stack, folder: Path) -> Iterator[tuple[RealRegistry, ...]]:
    """Give the site two more registries for a while: an open one, and a private one."""
    login = ("ally", "pass 'wörd'")
    made = (
        RealRegistry("lab", folder / "lab", _free_port()),
        RealRegistry("closed", folder / "closed", _free_port(), login),
    )
    before = SETTINGS.read_text()
    try:
        for one in made:
            one.folder.mkdir()
            one.start()
        _settle(stack, before + "".join(one.table for one in made))
        yield made
    finally:
        for one in made:
            one.stop()
        _settle(stack, before)


def _settle(stack: Stack, text: str) -> None:
    """Write the site's settings and let the programs that read them begin anew."""
    SETTINGS.write_text(text)
    for name in ("portal", "worker"):
        stack.restart(name)
    stack.wait_ready("portal", "worker")


def _blob(
    client: httpx2.Client, repository: str, raw: bytes, kind: str
) -> dict[str, object]:
    begun = client.post(f"/v2/{repository}/blobs/uploads/")
    assert begun.status_code == 202, begun.text
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    place = httpx2.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
    done = client.put(place, content=raw)
    assert done.status_code == 201, done.text
    return {"mediaType": kind, "size": len(raw), "digest": digest}


def _line_of(user: str, password: str) -> str:
    """Return a line of a password file; the registry takes bcrypt alone."""
    program = "print crypt($ARGV[0], '$2b$05$abcdefghijklmnopqrstuu')"
    ran = subprocess.run(
        ["perl", "-e", program, password], capture_output=True, text=True, check=True
    )
    return f"{user}:{ran.stdout}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
