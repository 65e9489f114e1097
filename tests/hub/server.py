"""A hub on loopback that answers as the real one does, as far as `huggingface_hub` asks.

    python tests/hub/server.py FOLDER --port 8123     # then: export HF_ENDPOINT=http://127.0.0.1:8123

serves the repositories of FOLDER: `models/org/name/...` and `datasets/org/name/...`, each on its branch `main`. A
commit follows from the content; after a change in the folder `main` is at another one, and the old ones are still
served for as long as the server lives.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]
API = re.compile(r"/api/(?P<kind>models|datasets)/(?P<id>[\w.-]+(?:/[\w.-]+)?)/(?P<what>revision|tree)/(?P<ref>[^/]+)")
RESOLVE = re.compile(r"/(?:(?P<kind>datasets)/)?(?P<id>[\w.-]+(?:/[\w.-]+)?)/resolve/(?P<ref>[^/]+)/(?P<path>.+)")


@dataclass
class Repository:
    """Attributes:
    refs: {branch or tag: commit}.
    gated: whether its files are for those alone who accepted its licence.
    """

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: bool = False


class Hub:
    """What there is, what was asked, and what goes wrong.

    Attributes:
        asked: (method, path) of each request about a repository, in order.
        bytes_left: that are still sent of files, after which each connection is cut; None for ever.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.asked: list[tuple[str, str]] = []
        self.bytes_left: int | None = None
        self.folder = folder

    def publish(self, kind: str, name: str, files: Files, ref: str = "main") -> str:
        """The commit of these files, which `ref` is at from now on. `kind` is `models` or `datasets`."""
        digest = hashlib.sha1(name.encode())
        for path, content in sorted(files.items()):
            digest.update(f"\0{path}\0{len(content)}\0".encode() + content)
        repository = self.repositories.setdefault((kind, name), Repository())
        repository.commits[digest.hexdigest()] = dict(files)
        repository.refs[ref] = digest.hexdigest()
        return digest.hexdigest()

    def publish_folder(self, kind: str, name: str, folder: Path, ref: str = "main") -> str:
        found = (file for file in sorted(folder.rglob("*")) if file.is_file())
        return self.publish(kind, name, {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}, ref)

    def look(self) -> None:
        """Publishes what the served folder holds now."""
        for kind in ("models", "datasets"):
            for folder in sorted(self.folder.glob(f"{kind}/*/*")) if self.folder else ():
                self.publish_folder(kind, f"{folder.parent.name}/{folder.name}", folder)

    def served(self, port: int = 0) -> ThreadingHTTPServer:
        """A server that is not yet running; `serve_forever` runs it."""
        return ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": self}))


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path.replace("%2F", "\0"))
        api, resolve = API.fullmatch(path), RESOLVE.fullmatch(path)
        found = api or resolve
        if found is None:
            self._refuse(404, "", "no such page")
            return
        self.hub.asked.append((self.command, path.replace("\0", "/")))
        if api:
            self.hub.look()
        kind, name = found["kind"] or "models", found["id"]
        repository = self.hub.repositories.get((kind, name))
        ref = found["ref"].replace("\0", "/")
        if repository is None:
            # As for one that is private: who has no token is not told that it is not there.
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif (commit := repository.refs.get(ref, ref)) not in repository.commits:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {ref}")
        elif api and api["what"] == "tree":
            self._json([_listed(path, content) for path, content in repository.commits[commit].items()])
        elif api:
            siblings = [{"rfilename": path} for path in repository.commits[commit]]
            gated = "manual" if repository.gated else False
            self._json({"id": name, "sha": commit, "siblings": siblings, "gated": gated, "private": False})
        elif repository.gated:
            self._refuse(401, "GatedRepo", f"Access to {kind} {name} is restricted.")
        elif found["path"].replace("\0", "/") not in repository.commits[commit]:
            self._refuse(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": commit})
        else:
            self._file(repository.commits[commit][found["path"].replace("\0", "/")], commit)

    def _file(self, content: bytes, commit: str) -> None:
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(start[1]) if start else 0
        part = content[first:]
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{_oid(content)}"')
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self._send(part)

    def _send(self, part: bytes) -> None:
        left = self.hub.bytes_left
        if left is None:
            self.wfile.write(part)
            return
        self.wfile.write(part[:left])
        self.hub.bytes_left = max(0, left - len(part))
        self.close_connection = len(part) > left

    def _json(self, data: Any) -> None:
        self._answer(200, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, told: str, **headers: str) -> None:
        named = {"X-Error-Code": code} if code else {}
        self._answer(status, json.dumps({"error": told}).encode(), {**named, "X-Error-Message": told, **headers})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def _listed(path: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(content), "oid": _oid(content)}


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Running:
    """A hub that answers while the context is open; `stop` ends it before."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def __enter__(self) -> Running:
        self._server = self.hub.served()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __exit__(self, *error: object) -> None:
        self.stop()


class Elsewhere:
    """A proxy before all that is not the hub: it lets nobody through, and remembers who was asked for.

    Attributes:
        asked: hosts, or pages.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __enter__(self) -> Elsewhere:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Refuser,), {"asked": self.asked}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Refuser(BaseHTTPRequestHandler):
    asked: list[str]

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    do_GET = do_HEAD = do_POST = do_CONNECT

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8123)
    arguments = parser.parse_args()
    with Hub(arguments.folder).served(arguments.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
