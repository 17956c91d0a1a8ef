"""A private Slurm cluster for tests: munged, slurmctld and two slurmd on this machine, with their own ports and folder."""
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import time

CONFIG = """
ClusterName=captionlab
SlurmctldHost=localhost
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket,cred_expire=10
CredType=cred/munge
SlurmctldPort={ctld}
StateSaveLocation={root}/slurmctld
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
SlurmdSpoolDir={root}/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=20
MinJobAge=86400
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=5
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={n1} CPUs=1 RealMemory=8192
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={n2} CPUs=1 RealMemory=8192
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol"]


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    """Starts on entering and ends, with everything that it started, on leaving."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.daemons = {}
        self.started = time.time()
        self.events = []
        self.seen = {}

    def __enter__(self):
        for folder in ["munge", "slurmctld", "n1", "n2", "log"]:
            (self.root / folder).mkdir(parents=True)
        (self.root / "munge").chmod(0o700)
        key = self.root / "munge/key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        ctld, n1, n2 = free_ports(3)
        user = subprocess.check_output(["id", "-un"], text=True).strip()
        config = self.root / "slurm.conf"
        config.write_text(CONFIG.format(root=self.root, user=user, ctld=ctld, n1=n1, n2=n2))
        os.environ["SLURM_CONF"] = str(config)
        folder = self.root / "munge"
        try:
            self.start("munged", "-F", "--force", *[f"--{option}={folder}/{name}" for option, name in [
                ("socket", "socket"), ("key-file", "key"), ("pid-file", "pid"), ("log-file", "log"),
                ("seed-file", "seed")]])
            self.wait(lambda: (folder / "socket").exists(), 20, "munged did not start")
            self.start("slurmctld", "-D", "-c")
            self.wait(lambda: "n1" in self.call("sinfo", "-h", "-N", "-o", "%N", check=False), 30,
                      "slurmctld did not start")
            for node in ["n1", "n2"]:
                self.start_node(node)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        self.call("scancel", "--full", "--user", str(os.getuid()), check=False)
        deadline = time.time() + 15
        while self.call("squeue", "-h", "-t", "R,CG", check=False).strip() and time.time() < deadline:
            time.sleep(0.5)
        for name in reversed(list(self.daemons)):
            self.kill(name)
        self.daemons = {}

    def start(self, program, *arguments, name=None):
        log = open(self.root / "log" / (name or program), "a")
        self.daemons[name or program] = subprocess.Popen([program, *arguments], stdout=log, stderr=log)

    def start_node(self, node):
        self.start("slurmd", "-D", "-N", node, name=node)
        self.wait(lambda: self.node_state(node) in ("idle", "mixed", "allocated"), 60, f"{node} did not start")
        self.event(f"node {node} is up")

    def kill(self, name):
        """SIGKILL for a daemon and all its descendants, as if its machine had lost its power."""
        daemon = self.daemons.pop(name)
        for pid in [daemon.pid, *descendants(daemon.pid), *of_node(name)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        daemon.wait()

    def kill_node(self, node):
        self.event(f"SIGKILL for slurmd on node {node} and everything below it")
        self.kill(node)

    def call(self, *command, check=True, **options):
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr}")
        return done.stdout

    def node_state(self, node):
        return self.call("sinfo", "-h", "-n", node, "-o", "%T", check=False).strip().rstrip("*~#!%$@+")

    def tasks(self):
        """(state, node) of every job and array task, by its id such as 5 or 6_11."""
        out = {}
        for line in self.call("squeue", "-h", "-r", "-t", "all", "-o", "%i|%T|%N", check=False).splitlines():
            task, state, node = line.split("|")
            out[task] = (state, node)
        return out

    def event(self, text):
        self.events.append((time.time() - self.started, text))
        print(f"{time.time() - self.started:7.1f} s  {text}", flush=True)

    def watch(self):
        """Adds an event for every task that changed its state, and for every node."""
        now = self.tasks()
        now.update({f"node {n}": (self.node_state(n), "") for n in ("n1", "n2")})
        for name, (state, node) in sorted(now.items(), key=lambda item: [int(d) for d in re.findall(r"\d+", item[0])]):
            state = {"idle": "up", "allocated": "up", "mixed": "up"}.get(state, state)
            if self.seen.get(name) == (state, node):
                continue
            before, self.seen[name] = self.seen.get(name), (state, node)
            if state in ("COMPLETING", "CONFIGURING") or before is None and state in ("PENDING", "up"):
                continue
            self.event(f"{name if name.startswith('node') else 'job ' + name}: {state.lower()}" +
                       (f" on {node}" if node and state == "RUNNING" else ""))
        return now

    def wait(self, ready, seconds, problem):
        deadline = time.time() + seconds
        while not ready():
            if time.time() > deadline:
                raise SystemExit(f"{problem} within {seconds} s; the logs are in {self.root}/log")
            time.sleep(0.3)

    def wait_for(self, ready, seconds, problem):
        """Waits, noting events."""
        self.wait(lambda: ready(self.watch()), seconds, problem)


def of_node(name):
    """The processes of the tasks on a node, after those that watch over them and would report their end.

    A slurmstepd is no child of the slurmd that started it.
    """
    tasks = [pid for pid in processes() if f"SLURMD_NODENAME={name}".encode() in read(pid, "environ").split(b"\0")]
    watchers = {parent(pid) for pid in tasks} - set(tasks)
    return [pid for pid in watchers if read(pid, "comm").startswith(b"slurmstepd")] + tasks


def processes():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def read(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended
        return b""


def parent(pid):
    return int(read(pid, "stat").rpartition(b")")[2].split()[1] or 0) if read(pid, "stat") else 0


def descendants(pid):
    """The processes below pid, which are read from /proc."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]
