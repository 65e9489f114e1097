#!/usr/bin/env bash
# Brings up a Slurm of virtual nodes on this machine, or what is dead of it. Prints the line that makes a
# shell use it:
#
#   eval "$(slurm/dev/up.sh)"
#
# README.md, beside this file, has the variables.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=slurm/dev/lib.sh
source "$here/lib.sh"

port=${CLPD_SLURM_PORT:-26800}
nodes=${CLPD_SLURM_NODES:-2}
gpus=${CLPD_SLURM_GPUS:-2}
accounting=${CLPD_SLURM_ACCOUNTING:-0}
grace=${CLPD_SLURM_GRACE:-0}
requeue_delay=${CLPD_SLURM_REQUEUE_DELAY:-10}
extra=${CLPD_SLURM_CONF_LINES:-}

for number in port nodes gpus accounting grace requeue_delay; do
  [[ ${!number} =~ ^[0-9]+$ ]] || die "CLPD_SLURM_${number^^} must be a number, not '${!number}'"
done
((nodes >= 1 && nodes <= 50)) || die "CLPD_SLURM_NODES must be 1 to 50, not $nodes"
((port >= 1024 && port <= 65400)) || die "CLPD_SLURM_PORT must be 1024 to 65400, not $port"
((EUID == 0)) || die "root is needed: slurmd starts the processes of jobs under their users' names"
check_root_folder
"$here/install.sh"

host=$(hostname -s)
if ! getent hosts "$host" >/dev/null; then
  say "adding '127.0.0.1 $host' to /etc/hosts: Slurm looks its own host up"
  echo "127.0.0.1 $host" >>/etc/hosts
fi

umask 022
mkdir -p "$root"/{state,spool,run,log,dev}
chmod 755 "$root" # munged refuses a folder that others may write to, or may not enter
export SLURM_CONF=$conf
export LC_ALL=C

# A new folder starts at another job id, so that what a former cluster left in a working directory stays its own.
[[ -s $root/first_job_id ]] || echo $((RANDOM % 30000 + 1000)) >"$root/first_job_id"

slurm_conf() {
  cat <<CONF
ClusterName=dev
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its credential has expired, two minutes by default.
AuthInfo=socket=$root/run/munge.socket,cred_expire=$requeue_delay
StateSaveLocation=$root/state
SlurmdSpoolDir=$root/spool/%n
SlurmctldPidFile=$root/run/slurmctld.pid
SlurmdPidFile=$root/run/slurmd-%n.pid
SlurmctldLogFile=$root/log/slurmctld.log
SlurmdLogFile=$root/log/slurmd-%n.log
FirstJobId=$(<"$root/first_job_id")
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# Short, so that what takes minutes on a cluster takes seconds here.
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=5
MinJobAge=300
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
GresTypes=gpu
CONF
  if ((accounting)); then
    cat <<CONF
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((port + 1))
AccountingStoragePass=$root/run/munge.socket
AccountingStorageTRES=gres/gpu
CONF
  else
    echo "AccountingStorageType=accounting_storage/none"
  fi
  local i
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 10 + i))" \
      "CPUs=16 RealMemory=64000 Gres=gpu:$gpus Feature=fake,f$i"
  done
  cat <<CONF
PartitionName=gpu Nodes=ALL Default=YES MaxTime=60 DefMemPerCPU=100 PriorityTier=1 GraceTime=$grace
PartitionName=high Nodes=ALL MaxTime=60 DefMemPerCPU=100 PriorityTier=10 PreemptMode=OFF
PartitionName=cpu Nodes=ALL MaxTime=60 DefMemPerCPU=100 PriorityTier=1 PreemptMode=OFF
$extra
CONF
}

gres_conf() {
  local i
  ((gpus)) || return 0
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=n$i Name=gpu File=$root/dev/nvidia[0-$((gpus - 1))]"
  done
}

slurmdbd_conf() {
  cat <<CONF
AuthType=auth/munge
AuthInfo=socket=$root/run/munge.socket
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=$((port + 1))
SlurmUser=root
PidFile=$root/run/slurmdbd.pid
LogFile=$root/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$((port + 2))
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct
CONF
}

# The daemons' logs, each with its end: what a user needs who sees "could not be started".
die_with_logs() {
  local log
  for log in "$@"; do
    [[ ! -s $log ]] || { echo "--- the end of $log" && tail -n 15 "$log"; } >&2
  done
  die "$reason"
}

# start NAME COMMAND...: unless it runs. What the daemon says before it has a log goes to NAME.out.
start() {
  local name=$1
  shift
  running "$name" && return
  rm -f "$root/run/$name.pid"
  "$@" </dev/null >"$root/log/$name.out" 2>&1 || {
    reason="$name could not be started"
    die_with_logs "$root/log/$name.out" "$root/log/$name.log"
  }
}

# A daemon that fails early may have no pid file, as one has that is just starting, on a busy machine for seconds.
has_died() {
  local name=$1 since=$2
  running "$name" && return 1
  [[ -s $root/run/$name.pid ]] || ((SECONDS - since > 20)) || return 1
  # Looked at twice: the file may have been written between the two looks above.
  sleep 1 && ! running "$name"
}

# wait_for NAME COMMAND...: until COMMAND succeeds; at once an error if daemon NAME is seen to have died.
wait_for() {
  local name=$1 since=$SECONDS
  shift
  until timeout 5 "$@" >/dev/null 2>&1; do
    reason="$name has died"
    ! has_died "$name" "$since" || die_with_logs "$root/log/$name".{out,log}
    reason="$name does not answer after $((SECONDS - since)) s"
    ((SECONDS - since < 60)) || die_with_logs "$root/log/$name".{out,log}
    sleep 0.1
  done
}

write_settings() {
  slurm_conf >"$conf.new"
  if running slurmctld && ! cmp -s "$conf" "$conf.new"; then
    diff "$conf" "$conf.new" >&2 || true
    die "$root is up with other settings (< has, > asked for); stop it first: $here/down.sh"
  fi
  mv "$conf.new" "$conf"
  gres_conf >"$root/gres.conf"
  local g
  # A GRES file must be a character device, or jobs get no CUDA_VISIBLE_DEVICES. These are /dev/null by number.
  for ((g = 0; g < gpus; g++)); do
    [[ -c $root/dev/nvidia$g ]] || mknod "$root/dev/nvidia$g" c 1 3
  done
}

start_munged() {
  [[ -s $root/run/munge.key ]] || (umask 077 && head -c 128 /dev/urandom >"$root/run/munge.key")
  running munged || rm -f "$root"/run/munge.socket*
  start munged munged --key-file="$root/run/munge.key" --socket="$root/run/munge.socket" \
    --pid-file="$root/run/munged.pid" --log-file="$root/log/munged.log" --seed-file="$root/run/munge.seed"
}

start_mariadb() {
  local data=$root/mariadb
  if [[ ! -d $data/mysql ]]; then
    start mariadb-install mariadb-install-db --no-defaults --user=root --datadir="$data" --skip-test-db \
      --auth-root-authentication-method=normal
  fi
  # mariadbd stays in the foreground, and a Ctrl-C in this terminal is not meant for it.
  start mariadb setsid --fork mariadbd --no-defaults --user=root --datadir="$data" \
    --socket="$root/run/mariadb.socket" --pid-file="$root/run/mariadb.pid" --log-error="$root/log/mariadb.log" \
    --bind-address=127.0.0.1 --port=$((port + 2)) --skip-name-resolve --innodb-flush-log-at-trx-commit=0
  wait_for mariadb mariadb --no-defaults --user=root --socket="$root/run/mariadb.socket" \
    -e "create user if not exists slurm@'127.0.0.1' identified by 'slurm'; grant all on slurm_acct.* to slurm@'127.0.0.1'"
}

start_slurmdbd() {
  (umask 077 && slurmdbd_conf >"$root/slurmdbd.conf")
  start slurmdbd slurmdbd
  wait_for slurmdbd sacctmgr -n list cluster
  [[ -n $(sacctmgr -nP list cluster dev format=cluster) ]] || sacctmgr -iQ add cluster dev >&2 ||
    die "sacctmgr could not add the cluster"
}

nodes_up() { [[ $(sinfo -hN -p gpu -o '%t' | grep -cxE 'idle|mix|alloc') == "$nodes" ]]; }

start_nodes() {
  local i since=$SECONDS
  for ((i = 1; i <= nodes; i++)); do
    mkdir -p "$root/spool/n$i"
    start "slurmd-n$i" slurmd -f "$conf" -N "n$i"
  done
  until nodes_up; do
    for ((i = 1; i <= nodes; i++)); do
      reason="slurmd-n$i has died"
      ! has_died "slurmd-n$i" "$since" || die_with_logs "$root/log/slurmd-n$i".{out,log}
    done
    if ((SECONDS - since > 60)); then
      sinfo -N -l >&2 || true
      reason="not all nodes are up after 60 s"
      die_with_logs "$root"/log/{slurmctld,slurmd-n*}.log
    fi
    sleep 0.1
  done
}

write_settings
start_munged
if ((accounting)); then
  start_mariadb
  start_slurmdbd
fi
start slurmctld slurmctld -f "$conf"
wait_for slurmctld scontrol ping
start_nodes
echo "export SLURM_CONF=$conf"
