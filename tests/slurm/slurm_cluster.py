"""A Slurm cluster on this machine: munged, slurmctld and two slurmd.

Where namespaces can be made, each node has its own (a network, a host name, a /dev/shm), and all of them begin and end
with the calling process (`enter`), so nothing can be left. Elsewhere, as in some containers, and where
RANKSWEEP_SLURM_NODES=ports wants it, the nodes share this host and differ by the port on which their slurmd listens:
to ranksweep they are one host. All files lie in one temporary folder; a Slurm that is at home here is not touched.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
import processes  # noqa: E402

NETWORK = "10.99.0"
LOGIN = "login"
NODES = ("node1", "node2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "unshare", "nsenter", "ip", "mpirun")
INSIDE = "RANKSWEEP_INSIDE_NAMESPACES"
NODE_MARK = "RANKSWEEP_TEST_NODE"  # in the environment of a slurmd on a port, and of its step daemons
SKIPPED = 77  # what CTest shows as skipped

CONFIGURATION = """
ClusterName=test
SlurmctldHost={controller}
SlurmUser=root
AuthType=auth/munge
# A requeued job may start again only after the credential of its last run has expired; 5 s is the least that Slurm takes.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SlurmctldParameters=preempt_send_user_signal
ReturnToService=2
SlurmdTimeout=5
KillWait=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 PriorityTier=5 PreemptMode=OFF
PartitionName=low Nodes=ALL MaxTime=INFINITE DefaultTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=short Nodes=ALL MaxTime=30 DefaultTime=10 PriorityTier=5 PreemptMode=OFF
PartitionName=high Nodes=ALL MaxTime=INFINITE DefaultTime=60 PriorityTier=9 PreemptMode=OFF
"""

# Waits for its network before it becomes slurmd, under the same process id.
NODE = """
hostname "$0" && mount -t tmpfs tmpfs /dev/shm && ip link set lo up && read -r network_is_there &&
exec slurmd -D -N "$0" </dev/null
"""


def unfit():
    """Why no cluster can be started here; nothing when one can."""
    if os.geteuid() != 0:
        return "its daemons need root"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    return f"not installed: {', '.join(missing)} (tools/setup.sh --tests)" if missing else ""


NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")


def wants_namespaces():
    if os.environ.get("RANKSWEEP_SLURM_NODES") == "ports":
        return False
    made = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if made.returncode:
        print(f"no namespaces ({made.stderr.strip()}): the nodes share this host", file=sys.stderr)
    return made.returncode == 0


def enter():
    """Starts this script again where it is alone, if it can; whatever it leaves behind ends with it."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if INSIDE in os.environ:
        return
    reason = unfit()
    if reason:
        required = os.environ.get("RANKSWEEP_REQUIRE_SLURM") == "1"
        print(f"{'FAILED' if required else 'SKIPPED'}: Slurm cannot run here: {reason}", file=sys.stderr)
        sys.exit(1 if required else SKIPPED)
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        del os.environ[name]
    if wants_namespaces():
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", *NAMESPACES, sys.executable, "-B", *sys.argv])


def run(*command, **options):
    return subprocess.run([*map(str, command)], check=True, text=True, capture_output=True, **options).stdout


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class NodesInNamespaces:
    hosts = NODES
    controller = f"{LOGIN}({NETWORK}.254)"
    lines = [f"NodeName={node} NodeAddr={NETWORK}.{number} CPUs=4 State=UNKNOWN" for number, node in enumerate(NODES, 1)]

    def prepare(self, folder):
        hosts = folder / "hosts"
        addresses = {"localhost": "127.0.0.1", LOGIN: f"{NETWORK}.254"}
        addresses |= {node: f"{NETWORK}.{number}" for number, node in enumerate(NODES, 1)}
        hosts.write_text("".join(f"{address} {name}\n" for name, address in addresses.items()))
        run("mount", "--bind", hosts, "/etc/hosts")
        run("hostname", LOGIN)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge0", "type", "bridge")
        run("ip", "address", "add", f"{NETWORK}.254/24", "dev", "bridge0")
        run("ip", "link", "set", "bridge0", "up")

    def start(self, node, cluster):
        process = cluster.start_daemon(node, "unshare", "--net", "--uts", "--ipc", "--mount", "sh", "-c", NODE, node,
                                       stdin=subprocess.PIPE)
        number = NODES.index(node) + 1
        own_network = os.readlink("/proc/self/ns/net")
        cluster.wait_until(lambda: os.readlink(f"/proc/{process.pid}/ns/net") != own_network, f"{node} is apart")
        inside = ("nsenter", "--net", "--target", process.pid)
        run("ip", "link", "add", f"to_{node}", "type", "veth", "peer", "name", "eth0", "netns", process.pid)
        run("ip", "link", "set", f"to_{node}", "master", "bridge0", "up")
        run(*inside, "ip", "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        process.stdin.write(b"\n")
        process.stdin.close()

    def has(self, node, daemon, pid):
        return os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{daemon.pid}/ns/net")

    def clean_up(self):
        run("umount", "/etc/hosts")


class NodesOnPorts:
    def __init__(self):
        name = socket.gethostname().split(".")[0]
        self.hosts = (name,)
        self.controller = f"{name}(127.0.0.1)"
        self.lines = [f"SlurmctldPort={free_port()}"]
        self.lines += [f"NodeName={node} NodeHostname={name} NodeAddr=127.0.0.1 Port={free_port()} CPUs=4 State=UNKNOWN"
                       for node in NODES]

    def prepare(self, folder):
        """What loses its parent, as the steps of a job do, becomes a child of this process."""
        pr_set_child_subreaper = 36
        if ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
        # Open MPI takes the ranks of different nodes apart, but names the memory that those of one node share by host.
        os.environ["OMPI_MCA_btl"] = "self,tcp"

    def start(self, node, cluster):
        cluster.start_daemon(node, "slurmd", "-D", "-N", node, stdin=subprocess.DEVNULL,
                             env=os.environ | {NODE_MARK: node})

    def has(self, node, daemon, pid):
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return f"{NODE_MARK}={node}".encode() in variables or f"SLURMD_NODENAME={node}".encode() in variables

    def clean_up(self):
        kill_all(processes.descendants(os.getpid()))


class SlurmCluster:
    def __init__(self):
        self.nodes = NodesInNamespaces() if INSIDE in os.environ else NodesOnPorts()
        self.daemons = {}

    @property
    def hosts(self):
        """The names that programs on the nodes see."""
        return self.nodes.hosts

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ranksweep-slurm-"))
        self.folder.chmod(0o755)
        self.write_files()
        self.nodes.prepare(self.folder)
        self.start_daemon("munged", "munged", "--foreground", f"--key-file={self.folder}/munge.key",
                          f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                          f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munge.seed",
                          "--force")
        self.wait_until(lambda: (self.folder / "munge.socket").exists(), "munged listens")
        self.start_daemon("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self.start_node(node)
        self.wait_until(self.all_idle, "both nodes are idle")

    def write_files(self):
        configuration = self.folder / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(
            controller=self.nodes.controller, nodes="\n".join(self.nodes.lines), folder=self.folder))
        os.environ["SLURM_CONF"] = str(configuration)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for name in ("state", *(f"{kind}.{node}" for kind in ("spool", "tmp") for node in NODES)):
            (self.folder / name).mkdir()

    def start_daemon(self, name, *command, **options):
        log = open(self.folder / f"{name}.log", "ab")
        self.daemons[name] = subprocess.Popen(command, stdout=log, stderr=log, **options)
        log.close()
        return self.daemons[name]

    def start_node(self, node):
        self.nodes.start(node, self)

    def lose_node(self, node):
        """As when its power fails: all its processes at once, jobs and all."""
        daemon = self.daemons.pop(node)
        kill_all(self.pids_of(node, daemon))
        daemon.wait()

    def pids_of(self, node, daemon):
        pids = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if self.nodes.has(node, daemon, entry):
                    pids.append(int(entry))
            except OSError:
                pass  # it has ended by itself
        return pids

    def all_idle(self):
        states = subprocess.run(["sinfo", "--noheader", "--Node", "--partition=main", "--format=%T"],
                                text=True, capture_output=True, check=False).stdout.split()
        return states == ["idle"] * len(NODES)

    def wait_until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
                raise AssertionError(f"not in {seconds} s: {what}\n{logs}")
            time.sleep(0.1)

    def stop(self):
        for name in reversed(list(self.daemons)):
            daemon = self.daemons.pop(name)
            daemon.terminate()
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.nodes.clean_up()
        shutil.rmtree(self.folder)
