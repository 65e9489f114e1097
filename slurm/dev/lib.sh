# shellcheck shell=bash
# Sourced by the other scripts: where the cluster lies, and which processes are its own.

root=${CLPD_SLURM_ROOT:-${TMPDIR:-/tmp}/clpd-slurm}
conf=$root/slurm.conf
PATH=$PATH:/usr/sbin:/sbin # where the daemons are, and not every root looks

say() { echo "slurm-dev: $*" >&2; }
die() {
  say "$@"
  exit 1
}

check_root_folder() {
  # slurm.conf knows no quoting, and a socket's path has room for 107 characters.
  [[ $root =~ ^/[A-Za-z0-9._/+-]+$ && ${#root} -le 80 ]] ||
    die "CLPD_SLURM_ROOT must be an absolute path of at most 80 letters, digits and ._/+-, not '$root'"
}

pid_of() { cat "$root/run/$1.pid" 2>/dev/null; }

# Alive, and ours: a pid file may outlive its process, and the number may then be another's.
running() {
  local pid
  pid=$(pid_of "$1") && [[ -n $pid ]] &&
    cat "/proc/$pid/cmdline" "/proc/$pid/environ" 2>/dev/null | grep -qaF "$root/"
}

# Each process of a job of this cluster. slurmd gives both variables to whatever it starts for a job.
job_processes() {
  grep -lsazFx "SLURM_CONF=$conf" /proc/[0-9]*/environ | xargs -r grep -lsaz '^SLURMD_NODENAME=' | cut -d/ -f3
}

# The slurmstepd of each of this cluster's steps: they keep their slurmd's log open.
step_daemons() {
  local pid
  grep -lsx slurmstepd /proc/[0-9]*/comm | cut -d/ -f3 | while read -r pid; do
    find "/proc/$pid/fd" -lname "$root/log/slurmd-*.log" -printf "$pid\n" -quit 2>/dev/null
  done
}
