#!/usr/bin/env bash
# Installs what a development cluster needs and this machine lacks, from apt. Starts no daemon.
# CLPD_SLURM_ACCOUNTING=1 adds slurmdbd and MariaDB.
set -euo pipefail
# shellcheck source=slurm/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=(slurmctld slurmd slurm-client munge)
[[ ${CLPD_SLURM_ACCOUNTING:-0} == 0 ]] || packages+=(slurmdbd mariadb-server)

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    # A removed package may leave its configuration behind, and is listed still.
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

command -v apt-get dpkg-query >/dev/null || die "this is neither Debian nor Ubuntu: apt-get or dpkg-query is missing"
mapfile -t missing < <(missing_packages)
((${#missing[@]})) || exit 0
((EUID == 0)) || die "${missing[*]} must be installed, which needs root: sudo apt-get install ${missing[*]}"

exec 9>/run/lock/clpd-slurm-install
flock 9 # apt refuses a second run, and someone else may be installing the same
mapfile -t missing < <(missing_packages)
((${#missing[@]})) || exit 0

# Debian's packages start their daemons, unless this script says no.
guard=/usr/sbin/policy-rc.d
if [[ ! -e $guard ]]; then
  printf '#!/bin/sh\nexit 101\n' >$guard
  chmod +x $guard
  trap 'rm -f $guard' EXIT
fi
say "installing ${missing[*]} from apt"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -q && apt-get install -yq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 9>&- || {
  tail -n 20 "$log" >&2
  die "apt-get could not install ${missing[*]}; all of its output is in $log"
}
rm -f "$log"
