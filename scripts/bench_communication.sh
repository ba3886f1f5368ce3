#!/usr/bin/env bash
# Measures what it costs to add up numbers over two processes, four ways: MPI through shared memory,
# MPI over TCP, Ossau's own TCP, and that between two network namespaces that stand for two machines
# (as root only).  Close other programs first.
#   scripts/bench_communication.sh            about half a minute
#   scripts/bench_communication.sh --quick    a smoke run; proves nothing
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

flags=()
case ${1-} in
  --quick) flags=(--quick) ;;
  "") ;;
  -h | --help)
    sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) fail "unknown argument $1 (see --help)" ;;
esac

configure release build/release OSSAU_BUILD_BENCHMARKS=ON
cmake --build build/release --target communication_benchmark
program=(build/release/bin/communication_benchmark "${flags[@]}")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# meet ADDRESS COMMAND0 COMMAND1: both ranks of a job that meets at ADDRESS, each begun by words.
meet() {
  local address=$1 rank0=$2 rank1=$3 other
  export MASTER_ADDR=$address MASTER_PORT=$((20000 + RANDOM % 10000)) WORLD_SIZE=2
  OSSAU_JOB_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  export OSSAU_JOB_TOKEN
  # shellcheck disable=SC2086  # words
  RANK=1 $rank1 "${program[@]}" &
  other=$!
  # shellcheck disable=SC2086  # words
  RANK=0 $rank0 "${program[@]}"
  wait "$other"
}

if command -v mpirun > /dev/null; then
  say "MPI, shared memory"
  mpirun -np 2 "${program[@]}"
  say "MPI, TCP"
  mpirun -np 2 --mca pml ob1 --mca btl tcp,self "${program[@]}"
else
  say "no mpirun: MPI is not measured"
fi

say "TCP, loopback"
meet 127.0.0.1 env env

if [[ $(id -u) == 0 ]] && ip netns add ossau-bench-0 2> /dev/null; then
  trap 'ip netns del ossau-bench-0; ip netns del ossau-bench-1' EXIT
  ip netns add ossau-bench-1
  ip link add veth0 netns ossau-bench-0 type veth peer name veth1 netns ossau-bench-1
  for i in 0 1; do
    ip -n "ossau-bench-$i" addr add "10.78.0.$((i + 1))/24" dev "veth$i"
    ip -n "ossau-bench-$i" link set "veth$i" up
    ip -n "ossau-bench-$i" link set lo up
  done
  say "TCP, two network namespaces"
  meet 10.78.0.1 "ip netns exec ossau-bench-0" "ip netns exec ossau-bench-1"
else
  say "no network namespaces can be made here: two machines are not measured"
fi
