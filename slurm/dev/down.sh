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

# stop SIGNAL NAME...: returns once they are gone.
stop() {
  local signal=$1 name pid tries
  shift
  for name in "$@"; do
    ! running "$name" || kill "-$signal" "$(pid_of "$name")" 2>/dev/null || true
  done
  for name in "$@"; do
    for ((tries = 0; tries < 200; tries++)); do
      running "$name" || break
      sleep 0.05
    done
    if running "$name"; then
      pid=$(pid_of "$name")
      say "$name does not end, and is killed"
      kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$root/run/$name.pid"
  done
}

# The controller learns that its jobs are over, so that a later up.sh doesn't start them again.
if [[ -z $wipe ]] && running slurmctld; then
  timeout 10 scancel --user=root 2>/dev/null || say "the jobs could not be cancelled; up.sh may start them again"
fi

# Jobs outlive a slurmd, and a slurmd takes seconds to end; it has nothing to lose.
slurmds=()
for file in "$root"/run/slurmd-*.pid; do
  [[ -e $file ]] && slurmds+=("$(basename "$file" .pid)")
done
stop KILL "${slurmds[@]}"
for ((tries = 0; tries < 50; tries++)); do
  mapfile -t left < <(step_daemons && job_processes)
  ((${#left[@]})) || break
  kill -KILL "${left[@]}" 2>/dev/null || true
  sleep 0.05
done

gently=TERM
[[ -z $wipe ]] || gently=KILL # what they would save goes away
stop $gently slurmctld
stop $gently slurmdbd
stop $gently mariadb
stop KILL munged
[[ -z $wipe ]] || rm -rf "$root"
