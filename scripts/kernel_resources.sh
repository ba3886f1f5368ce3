#!/usr/bin/env bash
# What each CUDA kernel needs of a multiprocessor, as the compiler reports it.  Needs no GPU.
#   scripts/kernel_resources.sh              prints the page benchmarks/kernel_resources.md
#   scripts/kernel_resources.sh --write      renews it
#   scripts/kernel_resources.sh --ptx FILE   prints the PTX of a .cu file compiled as the kernels
#                               --fused      but with multiplications and additions fused
#   ... --build FOLDER                       with the flags of this build instead of build/release
#   ... --lines FILE                         leaves the table there too, tab-separated for programs
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

architectures=(80 90 100)
page=benchmarks/kernel_resources.md
build=build/release
what='page'
source_file=
lines_file=
fused=0
while (($#)); do
  case $1 in
    --write) what='write' ;;
    --ptx | --build | --lines)
      (($# > 1)) || fail "$1 needs a name (see --help)"
      case $1 in
        --ptx) what='ptx' source_file=$2 ;;
        --build) build=$2 ;;
        --lines) lines_file=$2 ;;
      esac
      shift
      ;;
    --fused) fused=1 ;;
    -h | --help)
      sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument $1 (see --help)" ;;
  esac
  shift
done

sources=(kernels/*.cu)

[[ -f $build/compile_commands.json ]] ||
  fail "$build is not configured (cmake --preset release, or --build FOLDER)"

# How the build compiles a kernel, without the architectures and the files.
command_of_kernels() {
  awk -v file="$root/${sources[0]}" '
    /^ *"command": / { command = $0 }
    index($0, "\"file\": \"" file "\"") && command ~ / -x cu / {
      sub(/^ *"command": "/, "", command)
      sub(/ -x cu .*/, "", command)
      gsub(/ --generate-code=[^ ]*/, "", command)
      gsub(/\\"/, "\"", command)
      print command
      exit
    }' "$build/compile_commands.json"
}
compile=$(command_of_kernels)
[[ -n $compile ]] || fail "$build was configured without CUDA (-DOSSAU_CUDA=ON says why)"
# What the compiler warns of is in its report.
compile=${compile/ -Xptxas=-warn-spills,-warn-lmem-usage/}
if ((fused)); then compile=${compile/--fmad=false/--fmad=true}; fi

outputs=$(mktemp -d)
trap 'rm -rf -- "$outputs"' EXIT
# Words of the command are quoted as for a shell.
printf '#!/usr/bin/env bash\nexec %s "$@"\n' "$compile" > "$outputs/compile"
chmod +x "$outputs/compile"

# compile_one SOURCE ARCHITECTURE: leaves the compiler's report, and the PTX that it made on the way.
compile_one() {
  local source=$1 architecture=$2 folder
  folder=$outputs/$(basename "$source" .cu)_$architecture
  mkdir "$folder"
  "$outputs/compile" -arch="sm_$architecture" -cubin -Xptxas -v --keep --keep-dir "$folder" \
    -x cu "$source" -o "$folder/kernels.cubin" > "$folder/report" 2>&1 ||
    fail "$source does not compile for sm_$architecture: $(cat "$folder/report")"
}
export -f compile_one fail
export outputs

# Tab-separated: kernel, architecture, threads of a block at most, blocks of a multiprocessor at
# least, registers, barriers, bytes of static shared memory, of stack, of spill stores, of spill loads.
lines() {
  local source architecture
  # shellcheck disable=SC2016  # the inner shell expands it
  for source in "${sources[@]}"; do
    for architecture in "${architectures[@]}"; do printf '%s\0%s\0' "$source" "$architecture"; done
  done | xargs -0 -n 2 -P 2 bash -euo pipefail -c 'compile_one "$1" "$2"' compile
  for source in "${sources[@]}"; do
    for architecture in "${architectures[@]}"; do
      folder=$outputs/$(basename "$source" .cu)_$architecture
      lines_of_report "$folder"/*.ptx "$folder/report"
    done
  done | c++filt | sed -E 's/^void //; s/ossau::(device|rules):://g; s/^([^(\t]*)\([^\t]*/\1/' |
    LC_ALL=C sort -t $'\t' -k 1,1 -k 2,2n
}

# Bounds of a launch are in the PTX, everything else in the report.
lines_of_report() {
  awk '
    function number_before(word,   i) {
      for (i = 2; i <= NF; ++i) if (index($i, word) == 1) return $(i - 1)
      return 0
    }
    /(^|[ \t])\.entry / {
      kernel = $0
      sub(/.*\.entry /, "", kernel)
      sub(/\(.*/, "", kernel)
    }
    /^\.maxntid / { threads[kernel] = $2 + 0 }
    /^\.minnctapersm / { blocks[kernel] = $2 + 0 }
    /Compiling entry function/ {
      split($0, parts, "\047")
      kernel = parts[2]
      architecture = parts[4]
    }
    / bytes stack frame/ { stack = $1; stores = $5; loads = $9 }
    / : Used [0-9]+ registers/ {
      smem = 0
      for (i = 2; i <= NF; ++i) if ($i ~ /^smem/) smem = $(i - 2)
      printf "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", kernel, substr(architecture, 4),
        threads[kernel], blocks[kernel], number_before("registers"), number_before("barriers"),
        smem, stack, stores, loads
    }' "$@"
}

release() { "$outputs/compile" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p'; }

heading() {
  cat << EOF
# What the kernels need of a multiprocessor

Written by \`scripts/kernel_resources.sh --write\`; a test compares it with what the compiler says, and
refuses spills and local memory in any kernel. Compiled by CUDA $(release).

Registers are of a thread, on compute capability 8.0, 9.0 and 10.0. *Threads* are those of a block at most,
*blocks* those that a multiprocessor must hold at the least: a multiprocessor has 65,536 registers.
Barriers that are named when the kernel runs count as all 16. Static shared memory is in bytes.
\`sparse_gradient_kernel<stage, ones, lists>\`: whether every stored value is an implicit one, and whether touched
features are listed. \`move_kernel<rule>\`: a struct of \`src/arith/rules/\`.

EOF
}

table() {
  echo "| kernel | threads | blocks | registers 8.0 | 9.0 | 10.0 | barriers | static shared |"
  echo "|---|---|---|---|---|---|---|---|"
  awk -F '\t' -v OFS=' | ' '
    # Alike everywhere, or one value for each architecture.
    function add(values, value) { return values == "" || values == value ? value : values ", " value }
    function row() {
      if (name != "") print "| `" name "`", threads, blocks == 0 ? "" : blocks, registers, barriers, shared " |"
    }
    $1 != name { row(); name = $1; registers = barriers = shared = "" }
    {
      threads = $3 == 0 ? "" : $3
      blocks = $4
      registers = registers (registers == "" ? "" : " | ") $5
      barriers = add(barriers, $6)
      shared = add(shared, $7)
    }
    END { row() }' "$1"
}

rules() {
  cat << 'EOF'

Dynamic shared memory is chosen when a kernel is launched (in `kernels/*.cu`):

* `dense_gradient_kernel`: the ring takes what a block may have (163 KiB on 8.0, 227 KiB on 9.0 and 10.0) beside
  weights and partial sums, but no more than the block's tiles fill; so one block a multiprocessor.
* `wide_gradient_kernel`: for each warp six slots of 8 KiB, 1 KiB of weights and its items, 49.3 KiB, for as many
  warps as fit, at most four.
* `sparse_gradient_kernel`: 12 bytes for each of the at most 256 features that come most often.
* `dense_steps_kernel`: for each warp a ring of a tile's columns, up to three tiles long as far as what a block
  may have reaches; sums, weights and the optimiser's state beside it.
* `propose_kernel`: 2 KiB for the tree of 256 terms.
* `dense_gram_kernel`: 34.3 KiB for the entries of a tile in two panels of 64 columns.
* All others: none.
EOF
}

print_page() {
  lines > "$outputs/lines"
  [[ -z $lines_file ]] || cp "$outputs/lines" "$lines_file"
  heading
  table "$outputs/lines"
  rules
}

case $what in
  ptx) "$outputs/compile" -arch=compute_90 -ptx -x cu "$source_file" -o - ;;
  page) print_page ;;
  write)
    print_page > "$outputs/page.md"
    cp "$outputs/page.md" "$page"
    say "$page is renewed"
    ;;
esac
