"""A real Kubernetes API server for tests, with etcd, on this machine: own ports, own folder, no nodes, no controllers.

There is no package of kube-apiserver, so build() compiles it from its Go module. It is kept in a folder, since that takes
a quarter of an hour and two gigabytes.
"""
import json
import pathlib
import re
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from private_cluster import free_ports

VERSION = "1.33.1"
PROGRAMS = ["etcd", "openssl", "go"]  # etcd: Debian's etcd-server

MAIN = """package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
"""

PATHS = {
    "PersistentVolumeClaim": "api/v1/namespaces/default/persistentvolumeclaims",
    "Job": "apis/batch/v1/namespaces/default/jobs",
}


def build(folder):
    """Returns the path of kube-apiserver, which is compiled in the folder unless it is there."""
    program = folder / f"kube-apiserver-{VERSION}"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    module = json.loads(run_go(folder, "mod", "download", "-json", f"k8s.io/kubernetes@v{VERSION}"))
    # Its go.mod names its parts by paths in its repository, which other modules have to replace by their releases.
    parts = re.findall(r"^\t(k8s\.io/\S+) v0\.0\.0$", pathlib.Path(module["GoMod"]).read_text(), re.M)
    release = "v0." + VERSION.split(".", 1)[1]
    (folder / "go.mod").write_text(
        f"module apiserver\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v{VERSION}\n\nreplace (\n" +
        "".join(f"\t{part} => {part} {release}\n" for part in parts) + ")\n")
    (folder / "main.go").write_text(MAIN)
    run_go(folder, "mod", "tidy")
    made = program.with_suffix(".new")
    run_go(folder, "build", "-o", made, "-ldflags",
           f"-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}", ".")
    made.rename(program)
    return program


def run_go(folder, *arguments):
    done = subprocess.run(["go", *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"go {' '.join(map(str, arguments))} in {folder}: {done.stdout}{done.stderr}")
    return done.stdout


class Refused(Exception):
    """The server's answer to a request that it refused."""


class Server:
    """Starts on entering and ends, with etcd, on leaving."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.processes = []

    def __enter__(self):
        self.folder.mkdir(parents=True)
        client, peer, port = free_ports(3)
        self.url, self.token = f"https://127.0.0.1:{port}", secrets.token_hex(16)
        key, tokens = self.folder / "key", self.folder / "tokens.csv"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)
        tokens.write_text(f"{self.token},tester,1\n")
        try:
            self.start("etcd", shutil.which("etcd"), "--data-dir", self.folder / "etcd",
                       "--listen-client-urls", f"http://127.0.0.1:{client}",
                       "--advertise-client-urls", f"http://127.0.0.1:{client}",
                       "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                       "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                       "--initial-cluster", f"default=http://127.0.0.1:{peer}")
            self.start("kube-apiserver", self.program, f"--etcd-servers=http://127.0.0.1:{client}",
                       "--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={self.folder}/certificates",
                       "--service-account-issuer=https://localhost", f"--service-account-key-file={key}",
                       f"--service-account-signing-key-file={key}", f"--token-auth-file={tokens}",
                       "--authorization-mode=AlwaysAllow", "--service-cluster-ip-range=10.0.0.0/24")
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name, *command):
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, cwd=self.folder))

    def wait(self, seconds=180):
        """Waits until the server answers and has made the default namespace."""
        end = time.time() + seconds
        while True:
            try:
                self.ask("GET", "readyz")
                self.ask("GET", "api/v1/namespaces/default")
                return
            except (OSError, Refused) as problem:
                gone = [p.args[0] for p in self.processes if p.poll() is not None]
                if gone or time.time() > end:
                    logs = "".join(p.read_text(errors="replace")[-2000:] for p in self.folder.glob("*.log"))
                    raise SystemExit(f"the API server did not start ({problem}, ended: {gone}):\n{logs}")
                time.sleep(0.5)

    def ask(self, method, path, body=None, kind="application/yaml"):
        """Returns the server's answer; raises Refused if it is an error."""
        certificate = self.folder / "certificates" / "apiserver.crt"
        request = urllib.request.Request(f"{self.url}/{path}", body.encode() if body else None, method=method,
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=30,
                                        context=ssl.create_default_context(cafile=certificate)) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as problem:
            raise Refused(problem.read().decode()) from None

    def create(self, text, dry_run):
        """Creates the object of a YAML text, with strict validation of its fields, and returns its kind and name."""
        kind = re.search(r"^kind: (\w+)$", text, re.M).group(1)
        options = "fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        made = json.loads(self.ask("POST", f"{PATHS[kind]}?{options}", text))
        return kind, made["metadata"]["name"]

    def resume(self, job):
        """Lets a suspended job go on, as the first lines of the manifests say."""
        self.ask("PATCH", f"{PATHS['Job']}/{job}?fieldValidation=Strict", '{"spec":{"suspend":false}}',
                 "application/merge-patch+json")


def objects(manifest):
    """The objects of a manifest, without what holds only comments."""
    return [text for text in re.split(r"^---$", manifest, flags=re.M) if re.search(r"^kind:", text, re.M)]
