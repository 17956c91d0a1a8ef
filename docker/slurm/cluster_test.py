"""Runs features and a sweep on a private Slurm cluster, kills nodes in the middle, and compares with a single process.

usage: cluster_test.py CAPTIONLAB KUBERNETES-VALIDATE REPORT [features|sweep|manifests|apiserver]...

Without names it runs the first three. Writes what it measured to REPORT; of single parts, it replaces their sections.
Fails if a byte differs. Features and sweep need Debian's packages slurm-wlm and munge; apiserver needs etcd-server, and
compiles kube-apiserver the first time.
"""
import json
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import private_cluster

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kubernetes"))
import api_server  # noqa: E402

ARRAY = "captionlab-"
SHARDS, RUNS = 12, 4


def png(pixels, side):
    """An RGB image of one byte a channel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[y * side * 3:(y + 1) * side * 3] for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def draw_dataset(folder, images=400, side=48):
    """Images of a coloured square on another colour, with five captions each, for quick trainings."""
    colours = {"red": (220, 30, 30), "green": (30, 180, 60), "blue": (40, 60, 220), "yellow": (230, 220, 40),
               "black": (10, 10, 10), "white": (245, 245, 245)}
    places = {"left": 4, "middle": 16, "right": 28}
    folder.mkdir()
    random.seed(1)
    rows = ["image,caption"]
    for i in range(images):
        inner, outer = random.sample(sorted(colours), 2)
        place = random.choice(sorted(places))
        pixels = bytearray(bytes(colours[outer]) * side * side)
        for y in range(16, 32):
            at = (y * side + places[place]) * 3
            pixels[at:at + 16 * 3] = bytes(colours[inner]) * 16
        (folder / f"{i:04d}.png").write_bytes(png(bytes(pixels), side))
        for caption in [f"a {inner} square on {outer}", f"a {inner} square on the {place} of a {outer} image",
                        f"there is a {inner} square on the {place}", f"the background is {outer}",
                        f"{inner} and {outer}"]:
            rows.append(f"{i:04d}.png,{caption}")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")


class Test:
    def __init__(self, program, validate, root):
        self.program, self.validate, self.root = program, validate, root
        self.lines = []
        cache = pathlib.Path(os.environ.get("CAPTIONLAB_CACHE", pathlib.Path.home() / ".cache/captionlab"))
        for name in ["single", "cluster"]:
            (root / name / "cache").mkdir(parents=True)
            for shared in ["weights", "programs"]:  # neither changes a result
                if (cache / shared).exists():
                    (root / name / "cache" / shared).symlink_to(cache / shared)

    def run(self, name, *arguments):
        """Runs captionlab in the folder single or cluster."""
        environment = dict(os.environ, CAPTIONLAB_CACHE=str(self.root / name / "cache"))
        environment.pop("CAPTIONLAB_DATA", None)
        started = time.time()
        done = subprocess.run([self.program, *arguments], cwd=self.root / name, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise SystemExit(f"captionlab {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}")
        return done.stdout, time.time() - started

    def submit(self, *arguments):
        """Submits to the cluster and returns the ids of the plan, the array and the last job."""
        out, _ = self.run("cluster", "submit", "slurm", *arguments)
        ids = re.findall(r"^job (\d+): ", out, re.M)
        if len(ids) != 3:
            raise SystemExit(f"captionlab submit printed {out!r}, want three jobs")
        return ids

    def features(self, cluster):
        """12 shards, with a node that dies while it works on one."""
        _, single = self.run("single", "features", "--dataset", "shapes")
        started, first = time.time(), len(cluster.events)
        plan, array, last = self.submit("features", "--tasks", str(SHARDS), "--cpus", "1", "--", "--dataset", "shapes")
        shards = self.root / "cluster/captionlab-features-shards"
        published = lambda: len(list(shards.glob("shard-*.json")))
        on = lambda tasks, node: [t for t, (state, at) in tasks.items()
                                  if t.startswith(array + "_") and state == "RUNNING" and at == node]
        # The node dies while it encodes: the program has named its encoder, and its shard is not published.
        encoding = lambda task: (self.logged(task, "^encoder ") and
                                 not list(shards.glob(f"shard-{int(task.split('_')[1]):05d}-of-*")))
        victims = []
        cluster.wait_for(lambda tasks: published() >= 3 and victims.extend(filter(encoding, on(tasks, "n2"))) or victims,
                         1200, "no task that could be interrupted ran on n2")
        cluster.kill_node("n2")
        done_before = published()
        cluster.wait_for(lambda _: cluster.node_state("n2") == "down", 120, "n2 was not found dead")
        cluster.start_node("n2")
        cluster.wait_for(lambda tasks: tasks.get(last, ("",))[0] == "COMPLETED", 1800, "the merge was not completed")
        seconds = time.time() - started
        files = same_files(self.root / "single/cache/features", self.root / "cluster/cache/features")
        again = self.tried_twice(array)
        if not again:
            raise SystemExit("no task was run twice: the node died between two tasks; run the test again")
        self.lines += ["## Features in 12 shards", "",
                       f"`captionlab submit slurm features --tasks {SHARDS} -- --dataset shapes`: a plan, an array of "
                       f"{SHARDS} tasks on two nodes, and a merge that depends on it. Node n2 was killed by SIGKILL "
                       f"while it ran {', '.join(victims)}, after {done_before} shards were published.", "",
                       "| | |", "| --- | --- |",
                       f"| one process | {single:.0f} s |",
                       f"| the cluster, with the time until the dead node was noticed | {seconds:.0f} s |",
                       f"| tasks that ran twice | {', '.join(again)} |",
                       f"| merged files compared with those of one process | {files} files, all bytes equal |", ""]
        self.add_events(cluster, first)

    def logged(self, task, pattern):
        """How many lines of the log of an array's task begin as the pattern says."""
        return sum(len(re.findall(pattern, log.read_text(), re.M))
                   for log in (self.root / "cluster").glob(f"captionlab-*-{task}.log"))

    def tried_twice(self, array):
        """The tasks whose log has the lines of two starts."""
        return [task for task in (f"{array}_{i}" for i in range(SHARDS)) if self.logged(task, "^encoder ") > 1]

    def sweep(self, cluster):
        """Four trainings: one is warned by SIGUSR1, another loses its node."""
        data = self.root / "squares"
        draw_dataset(data)
        flags = ["--dataset", str(data), "--only", "hidden-256", "--seeds", "1,2,3,4"]
        _, single = self.run("single", "reproduce", *flags)
        (self.root / "cluster/README.md").write_text("")
        started, first = time.time(), len(cluster.events)
        _, array, _ = self.submit("reproduce", "--tasks", str(RUNS), "--cpus", "1", "--", *flags, "--lease", "20s")
        runs = self.root / "cluster/cache/runs"
        records = lambda: {p.parent.name for p in (self.root / "cluster/results").glob("*/*/seed-*/run.json")}
        seed_on = lambda tasks, node: [int(t.split("_")[1]) + 1 for t, (state, at) in tasks.items()
                                       if t.startswith(array + "_") and state == "RUNNING" and at == node]
        begun = lambda seeds: [s for s in seeds if list(runs.glob(f"*-seed-{s}-*/last.safetensors"))
                               and f"seed-{s}" not in records()]
        cluster.wait_for(lambda tasks: begun(seed_on(tasks, "n1")), 1200, "no training began on n1")
        warned = begun(seed_on(cluster.tasks(), "n1"))[0] - 1
        cluster.event(f"SIGUSR1 for task {array}_{warned}")
        cluster.call("scancel", "--signal=USR1", f"{array}_{warned}")
        cluster.wait_for(lambda tasks: begun(seed_on(tasks, "n2")), 1200, "no training began on n2")
        killed = begun(seed_on(cluster.tasks(), "n2"))[0] - 1
        cluster.kill_node("n2")
        cluster.wait_for(lambda _: cluster.node_state("n2") == "down", 120, "n2 was not found dead")
        cluster.start_node("n2")
        finished = lambda tasks: all(tasks.get(f"{array}_{i}", ("",))[0] == "COMPLETED" for i in range(RUNS))
        cluster.wait_for(finished, 2400, "the sweep was not completed")
        seconds = time.time() - started
        compared = same_records(self.root / "single/results", self.root / "cluster/results")
        log = (self.root / "cluster" / f"captionlab-reproduce-{array}_{warned}.log").read_text()
        if "Exit status 75" not in log:
            raise SystemExit(f"task {warned} did not end with exit status 75 after SIGUSR1:\n{log}")
        self.lines += ["## A sweep of 4 trainings", "",
                       f"`captionlab submit slurm reproduce --tasks {RUNS} -- --dataset DIR --only hidden-256 --seeds "
                       "1,2,3,4 --lease 20s`, on 400 images of coloured squares. Task "
                       f"{array}_{warned} was warned by SIGUSR1, stopped with exit status 75 and was queued again. "
                       f"Node n2 was killed while it ran {array}_{killed}, whose lease another node took over.", "",
                       "| | |", "| --- | --- |",
                       f"| one process, one run after another | {single:.0f} s |",
                       f"| the cluster, with the time until the dead node was noticed | {seconds:.0f} s |",
                       f"| records compared with those of one process | {compared} runs: weights, captions, scores and "
                       "losses equal |", ""]
        self.add_events(cluster, first)

    def manifests(self):
        """Kubernetes' schema of the printed manifests."""
        versions, count = ["1.29", "1.31", "1.33"], 0
        for work in ["features", "reproduce"]:
            text, _ = self.run("cluster", "submit", "kubernetes", work, "--tasks", "32", "--size", "200Gi", "--",
                               "--dataset", "coco")
            path = self.root / f"{work}.yaml"
            path.write_text(text)
            for version in versions:
                done = subprocess.run([self.validate, "--strict", "-k", version, path], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                if done.returncode:
                    raise SystemExit(f"kubernetes-validate {path}: {done.stdout}")
                count += len(re.findall("passed for resource", done.stdout))
        self.lines += ["## Kubernetes manifests", "",
                       f"kubernetes-validate --strict passed {count} objects of `captionlab submit kubernetes`, of features "
                       f"and of a sweep, against the schemas of Kubernetes {', '.join(versions)}.", ""]

    def apiserver(self, program):
        """What a real API server says of the printed manifests."""
        dry, objects = 0, {}  # by kind and name, since both share the volume
        with api_server.Server(program, self.root / "apiserver") as server:
            for work in ["features", "reproduce"]:
                text, _ = self.run("cluster", "submit", "kubernetes", work, "--tasks", "32", "--size", "200Gi", "--",
                                   "--dataset", "coco")
                for one in api_server.objects(text):
                    objects[server.create(one, dry_run=True)] = one
                    dry += 1
                refused(server, text, "completionMode: Indexed", "completionMode: Sometimes")
                refused(server, text, "backoffLimitPerIndex: 3", "backOffLimitPerIndex: 3")
            made = [server.create(one, dry_run=False) for one in objects.values()]
            jobs = [name for kind, name in made if kind == "Job"]
            for name in jobs:
                server.resume(name)
        self.lines += ["## A Kubernetes API server", "",
                       f"kube-apiserver {api_server.VERSION} with etcd, without nodes: a server-side dry run with strict "
                       f"fields accepted {dry} objects of `captionlab submit kubernetes`, of features and of a sweep. "
                       f"{len(made)} were then created, and the {len(jobs)} jobs told to go on. The same jobs with a wrong "
                       "value or an unknown field were refused.", ""]

    def add_events(self, cluster, first):
        start = cluster.events[first][0]
        self.lines += ["<details><summary>Events</summary>", "", "| seconds | event |", "| ---: | --- |"]
        self.lines += [f"| {at - start:.1f} | {text} |" for at, text in cluster.events[first:]]
        self.lines += ["", "</details>", ""]


def refused(server, manifest, good, bad):
    """Fails unless the server refuses the object of a manifest that has something good, with something bad instead."""
    text = next(one for one in api_server.objects(manifest) if good in one)
    try:
        server.create(text.replace(good, bad), dry_run=True)
    except api_server.Refused:
        return
    raise SystemExit(f"the API server accepted {bad!r}")


def same_files(single, merged):
    """Compares all files but locks and returns their number."""
    names = sorted(str(p.relative_to(single)) for p in single.rglob("*") if p.is_file() and p.name != ".lock")
    theirs = sorted(str(p.relative_to(merged)) for p in merged.rglob("*") if p.is_file() and p.name != ".lock")
    if names != theirs or not names:
        raise SystemExit(f"the single process wrote {names}, the merge {theirs}")
    for name in names:
        if (single / name).read_bytes() != (merged / name).read_bytes():
            raise SystemExit(f"{name} differs between the single process and the merge")
    return len(names)


def same_records(single, cluster):
    """Compares the records of all runs, except times and hosts, and returns the number of runs."""
    runs = sorted(p.parent for p in single.glob("*/*/seed-*/run.json"))
    if len(runs) != RUNS:
        raise SystemExit(f"{single} has {len(runs)} runs, want {RUNS}")
    for run in runs:
        other = cluster / run.relative_to(single)
        for path in sorted(run.iterdir()):
            a, b = path.read_text(), (other / path.name).read_text()
            if path.name == "run.json":
                a, b = ({k: json.loads(t)[k] for k in ("identity", "weights_sha256", "epochs", "best_epoch", "settings")}
                        for t in (a, b))
            elif path.name == "curve.csv":
                a, b = (without_column(t, "seconds") for t in (a, b))
            elif path.suffix == ".json":
                a, b = (without_times(json.loads(t)) for t in (a, b))
            if a != b:
                raise SystemExit(f"{other / path.name} differs from {path}")
    return len(runs)


def without_column(text, name):
    rows = [line.split(",") for line in text.splitlines()]
    at = rows[0].index(name)
    return [row[:at] + row[at + 1:] for row in rows]


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if "seconds" not in k and "per_second" not in k}
    return [without_times(v) for v in value] if isinstance(value, list) else value


HEAD = """# Clusters

Written by `make cluster-test`, which runs a private Slurm cluster on one machine: slurmctld, munged and two slurmd with
their own ports and folders. The nodes share the machine's cores, so the times show the cost of a failure, not a gain in
speed. Afterwards no process is left running. [docker/README.md](../../docker/README.md) explains the jobs.
"""


def write_report(path, parts):
    """Replaces the sections of the parts that were run and keeps the others."""
    sections = {}
    if path.exists():
        for text in re.split(r"^(?=## )", path.read_text(), flags=re.M)[1:]:
            sections[text.splitlines()[0]] = text.rstrip()
    for lines in parts.values():
        sections[lines[0]] = "\n".join(lines).rstrip()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join([HEAD.rstrip(), *(sections[name] for name in sorted(sections))]) + "\n")


def machine(versions):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return (f"{versions}; {os.cpu_count()} cores of {cpu.group(1) if cpu else platform.machine()}, load average "
            f"{os.getloadavg()[2]:.1f}; {time.strftime('%Y-%m-%d', time.gmtime())}.")


def need(programs, packages):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not found: apt-get install {packages}")


def main():
    program, validate, report, *chosen = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by SIGTERM"))  # which ends the cluster
    chosen = chosen or ["features", "sweep", "manifests"]
    if {"features", "sweep"} & set(chosen):
        need(private_cluster.PROGRAMS, "slurm-wlm munge")
    if "apiserver" in chosen:
        need(api_server.PROGRAMS, "etcd-server openssl")
    for part in chosen:
        root = pathlib.Path(tempfile.mkdtemp(prefix="captionlab-cluster-"))
        os.environ.pop("CAPTIONLAB_DATA", None)
        test = Test(str(pathlib.Path(program).resolve()), validate, root)
        if part == "manifests":
            test.manifests()
            versions = "kubernetes-validate " + subprocess.check_output([validate, "--version"], text=True).strip()
        elif part == "apiserver":
            cache = pathlib.Path(os.environ.get("CAPTIONLAB_CACHE") or pathlib.Path.home() / ".cache/captionlab")
            test.apiserver(api_server.build(cache / "kube-apiserver"))
            versions = subprocess.check_output(["etcd", "--version"], text=True).splitlines()[0]
        else:
            with private_cluster.Cluster(root / "slurm") as cluster:
                versions = cluster.call("slurmctld", "-V").strip()
                {"features": test.features, "sweep": test.sweep}[part](cluster)
            left = private_cluster.descendants(os.getpid())
            if left:
                raise SystemExit(f"processes {left} were left running")
        write_report(pathlib.Path(report), {part: test.lines[:2] + [machine(versions), ""] + test.lines[2:]})
        shutil.rmtree(root)
        print(f"wrote {part} to {report}")


if __name__ == "__main__":
    main()
