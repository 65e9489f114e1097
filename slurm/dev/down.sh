#!/usr/bin/env bash
# Ends the jobs and daemons of the cluster under CLPD_SLURM_ROOT, and nothing else. --wipe removes its folder too.
set -euo pipefail
# shellcheck source=slurm/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

wipe=
case "${1:-}" in
  "") ;;
  --wipe) wipe=1 ;;
  *) die "unknown argument '$1'; there is only --wipe" ;;
esac
check_root_folder
[[ -d $root ]] || exit 0
[[ -f $root/first_job_id ]] || die "$root is no folder that up.sh has made"
((EUID == 0)) || die "root is needed: the daemons are root's"
export SLURM_CONF=$conf

# stop NAME...: all at once, since slurmctld and slurmd take seconds each.
stop() {
  local name pid tries pids=()
  for name in "$@"; do
    if running "$name"; then
      pid=$(pid_of "$name")
      pids+=("$pid")
      kill "$pid" 2>/dev/null || true
    fi
  done
  for pid in "${pids[@]}"; do
    for ((tries = 0; tries < 100; tries++)); do
      kill -0 "$pid" 2>/dev/null || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  for name in "$@"; do rm -f "$root/run/$name.pid"; done
}

# Jobs go first: a job's processes outlive the slurmd that started them.
if running slurmctld && [[ -n $(timeout 5 squeue -h -t all -o %i 2>/dev/null | head -n 1) ]]; then
  timeout 5 scancel --full --signal=KILL --state=RUNNING --user=root 2>/dev/null || true
  timeout 5 scancel --user=root 2>/dev/null || true
fi

slurmds=()
for file in "$root"/run/slurmd-*.pid; do
  [[ -e $file ]] && slurmds+=("$(basename "$file" .pid)")
done
stop slurmctld "${slurmds[@]}"
for ((tries = 0; tries < 20; tries++)); do
  mapfile -t left < <(step_daemons && job_processes)
  ((${#left[@]})) || break
  kill -9 "${left[@]}" 2>/dev/null || true
  sleep 0.1
done
stop slurmdbd
stop mariadb munged

[[ -z $wipe ]] || rm -rf "$root"
