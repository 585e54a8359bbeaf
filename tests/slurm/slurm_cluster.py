"""A Slurm cluster on this machine: munged, slurmctld and two slurmd, each node in namespaces of its own.

Everything lives in one temporary folder and in namespaces that begin and end with the calling process
(enter_namespaces), so nothing of it can be left, and a Slurm that is at home here is not touched.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORK = "10.99.0"
LOGIN = "login"
NODES = ("node1", "node2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "unshare", "nsenter", "ip", "mpirun")
INSIDE = "RANKSWEEP_INSIDE_NAMESPACES"
SKIPPED = 77  # what CTest shows as skipped

CONFIGURATION = """
ClusterName=test
SlurmctldHost={login}({network}.254)
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
NodeName=node1 NodeAddr={network}.1 CPUs=4 State=UNKNOWN
NodeName=node2 NodeAddr={network}.2 CPUs=4 State=UNKNOWN
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
        return "virtual nodes need root"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"not installed: {', '.join(missing)} (tools/setup.sh --tests)"
    made = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"no namespaces: {made.stderr.strip()}" if made.returncode else ""


NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")


def enter_namespaces():
    """Starts this script again where it is alone; whatever it leaves behind ends with it."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if INSIDE in os.environ:
        return
    reason = unfit()
    if reason:
        required = os.environ.get("RANKSWEEP_REQUIRE_SLURM") == "1"
        print(f"{'FAILED' if required else 'SKIPPED'}: Slurm cannot run here: {reason}", file=sys.stderr)
        sys.exit(1 if required else SKIPPED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    environment[INSIDE] = "1"
    os.execvpe("unshare", ["unshare", *NAMESPACES, sys.executable, "-B", *sys.argv], environment)


def run(*command, **options):
    return subprocess.run([*map(str, command)], check=True, text=True, capture_output=True, **options).stdout


class SlurmCluster:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ranksweep-slurm-"))
        self.folder.chmod(0o755)
        self.daemons = {}

    def start(self):
        self.write_files()
        self.make_network()
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
        configuration.write_text(CONFIGURATION.format(login=LOGIN, network=NETWORK, folder=self.folder))
        os.environ["SLURM_CONF"] = str(configuration)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for name in ("state", *(f"{kind}.{node}" for kind in ("spool", "tmp") for node in NODES)):
            (self.folder / name).mkdir()

    def make_network(self):
        hosts = self.folder / "hosts"
        addresses = {"localhost": "127.0.0.1", LOGIN: f"{NETWORK}.254"}
        addresses |= {node: f"{NETWORK}.{number}" for number, node in enumerate(NODES, 1)}
        hosts.write_text("".join(f"{address} {name}\n" for name, address in addresses.items()))
        run("mount", "--bind", hosts, "/etc/hosts")
        run("hostname", LOGIN)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge0", "type", "bridge")
        run("ip", "address", "add", f"{NETWORK}.254/24", "dev", "bridge0")
        run("ip", "link", "set", "bridge0", "up")

    def start_daemon(self, name, *command, **options):
        log = open(self.folder / f"{name}.log", "ab")
        self.daemons[name] = subprocess.Popen(command, stdout=log, stderr=log, **options)
        log.close()
        return self.daemons[name]

    def start_node(self, node):
        process = self.start_daemon(node, "unshare", "--net", "--uts", "--ipc", "--mount", "sh", "-c", NODE, node,
                                    stdin=subprocess.PIPE)
        number = NODES.index(node) + 1
        own_network = os.readlink("/proc/self/ns/net")
        self.wait_until(lambda: os.readlink(f"/proc/{process.pid}/ns/net") != own_network, f"{node} is apart")
        inside = ("nsenter", "--net", "--target", process.pid)
        run("ip", "link", "add", f"to_{node}", "type", "veth", "peer", "name", "eth0", "netns", process.pid)
        run("ip", "link", "set", f"to_{node}", "master", "bridge0", "up")
        run(*inside, "ip", "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        process.stdin.write(b"\n")
        process.stdin.close()

    def lose_node(self, node):
        """As when its power fails: all its processes at once, jobs and all."""
        daemon = self.daemons.pop(node)
        network = os.readlink(f"/proc/{daemon.pid}/ns/net")
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/ns/net") == network:
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass  # it has ended by itself
        daemon.wait()

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
        run("umount", "/etc/hosts")
        shutil.rmtree(self.folder)
