# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The stages of tools/check: functions stage_NAME that call count PASSED FAILED SKIPPED.

# shellcheck disable=SC2034 # the lists are read by tools/check
CHECK_PACKAGES=(shellcheck valgrind gcovr debootstrap socat curl procps libvirt-daemon-system libvirt-clients python3-libvirt
  python3-nova nova-compute)

PASSED=0 FAILED=0 SKIPPED=0
count() { PASSED=$((PASSED + $1)) FAILED=$((FAILED + $2)) SKIPPED=$((SKIPPED + $3)); }

# shellcheck disable=SC2034
STAGES=(build lint unit oracle integration kvm valgrind asan tsan coverage distcheck)
# shellcheck disable=SC2034
declare -A STAGE_HELP=(
  [build]="novad with warnings as errors"
  [lint]="include rules, sizes, licences, shell scripts, generated files"
  [unit]="unit tests (make check)"
  [oracle]="objects, domain XML, config drive compared with Debian's Nova"
  [integration]="novad as the only compute of a real cloud"
  [kvm]="a node with real KVM under emulation: novad as a second compute, virt_type kvm"
  [valgrind]="no leak over 50 boots and deletes"
  [asan]="unit and integration tests with AddressSanitizer and UBSan"
  [tsan]="unit and integration tests with ThreadSanitizer"
  [coverage]="line coverage of base, objects and rpc by unit tests (at least 85 %)"
  [distcheck]="the release tarball builds, tests and installs by itself"
)

# run_tap NAME SCRIPT...: runs TAP scripts, shows what failed
run_tap() {
  local name=$1 script out passed failed skipped; shift
  for script; do
    out=$(G_TEST_SRCDIR=$TOP G_TEST_BUILDDIR=$TOP/build "$script" 2>&1) || true
    printf '%s\n' "$out" >"$BUILD_LOGS/$name-$(basename "$script").log"
    skipped=$(grep -cE '^(ok|1\.\.0).*# *SKIP' <<<"$out" || true)
    passed=$(($(grep -c '^ok' <<<"$out" || true) - $(grep -cE '^ok.*# *SKIP' <<<"$out" || true)))
    failed=$(grep -c '^not ok' <<<"$out" || true)
    if [ $((passed + failed + skipped)) = 0 ]; then failed=1; fi
    [ "$failed" = 0 ] || { echo "FAILED: $script"; grep -A 20 '^not ok' <<<"$out" | head -n 60; }
    count "$passed" "$failed" "$skipped"
  done
}

# run_make_check FOLDER: counts what automake counted
run_make_check() {
  local folder=$1 log=$BUILD_LOGS/$1-check.log rc=0 totals
  make -C "$TOP/$folder" -j"$(nproc)" check >"$log" 2>&1 </dev/null || rc=$?
  totals=$(grep -E '^# (PASS|SKIP|FAIL|XPASS|ERROR): ' "$log" | tr '\n' ' ')
  [ -n "$totals" ] || { tail -n 20 "$log"; count 0 1 0; return 0; }
  local pass skip fail
  pass=$(sed -n 's/^# PASS: *//p' "$log" | tail -n 1) skip=$(sed -n 's/^# SKIP: *//p' "$log" | tail -n 1)
  fail=$(sed -nE 's/^# (FAIL|XPASS|ERROR): *//p' "$log" | awk '{n += $1} END {print n + 0}')
  if [ "$fail" != 0 ] || [ "$rc" != 0 ]; then
    grep -E '^(FAIL|ERROR|XPASS): ' "$log" | sort -u | head -n 40
    echo "the whole log: $log"
    [ "$fail" != 0 ] || fail=1
  fi
  count "${pass:-0}" "$fail" "${skip:-0}"
}

stage_build() { build_tree build && count 1 0 0; }

stage_lint() { run_tap lint "$TOP"/tests/lint/*.sh; }

stage_unit() { build_tree build && run_make_check build; }

stage_oracle() {
  build_tree build || return 1
  "$LAB_TOOL" install && "$LAB_TOOL" up || return 1
  local scripts=()
  mapfile -t scripts < <(find "$TOP/tests/oracle" -maxdepth 1 -name '*.sh' -perm -u+x | sort)
  [ ${#scripts[@]} -gt 0 ] || { echo "no oracle tests"; return 1; }
  run_tap oracle "${scripts[@]}"
}

lab_ready() {
  "$LAB_TOOL" install && "$LAB_TOOL" up && "$LAB_TOOL" nova-compute stop
}

# run_integration NAME BUILD-FOLDER WRAPPER [ARGUMENT...]: novad of that build as the lab's compute; stops it afterwards
run_integration() {
  local name=$1 folder=$2 wrapper=$3 log=$BUILD_LOGS/integration-$1.log totals; shift 3
  lab_ready || return 1
  "$LAB_TOOL" novad stop
  G_SLICE=always-malloc NOVAD_WRAPPER=$wrapper NOVAD=$TOP/$folder/novad "$LAB_TOOL" novad start || return 1
  "$TOP/tests/integration/run" "$@" 2>&1 | tee "$log" || true
  "$LAB_TOOL" novad stop
  totals=$(tail -n 1 "$log")
  [[ $totals =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] || { echo "the $name run ended early"; return 1; }
  count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
}

stage_integration() { build_tree build && run_integration plain build '' "${INTEGRATION_TESTS[@]}"; }

stage_kvm() {
  build_tree build && lab_ready && "$LAB_TOOL" install kvmnode || return 1
  NOVAD=$TOP/build/novad "$LAB_TOOL" kvmnode start || { "$LAB_TOOL" kvmnode stop; return 1; }
  local rc=0
  "$TOP/tests/integration/kvm" || rc=1
  "$LAB_TOOL" kvmnode stop
  count $((1 - rc)) "$rc" 0
}

# no_report LOG PATTERN: the daemon's log has no report of a checker
no_report() {
  if grep -qE "$2" "$1"; then
    grep -E -A 12 "$2" "$1" | head -n 60
    cp "$1" "$BUILD_LOGS/report-$(date +%H%M%S).log"
    count 0 1 0
  else
    count 1 0 0
  fi
}

# The servers of a leak test need not come up: making and deleting the domains is what the agent does.
stage_valgrind() {
  build_tree build || return 1
  local options="--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=24"
  [ ! -e "$TOP/tests/valgrind.supp" ] || options="$options --suppressions=$TOP/tests/valgrind.supp"
  LAB_PATIENCE=4 run_integration valgrind build "valgrind -q $options" --only 70_leaks || return 1
  no_report "$LAB/log/novad.log" '^==[0-9]+== .*(definitely lost|Invalid|uninitialised)'
}

# What the sanitizer builds repeat of the integration tests in a run of tools/check: NOVAD_SANITIZED_TESTS=all makes it all of them.
ASAN_TESTS=(--only 10_ --only 50_ --only 51_)
TSAN_TESTS=(--only 10_boot.boot --only 10_boot.power --only delete_while_building --only 40_ --only 51_)
if [ "${NOVAD_SANITIZED_TESTS:-}" = all ]; then ASAN_TESTS=() TSAN_TESTS=(); fi

stage_asan() {
  build_tree build-asan --enable-asan --enable-ubsan && run_make_check build-asan || return 1
  LAB_PATIENCE=3 ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    LSAN_OPTIONS=suppressions=$TOP/tests/lsan.supp run_integration asan build-asan '' "${ASAN_TESTS[@]}" || return 1
  no_report "$LAB/log/novad.log" 'AddressSanitizer|LeakSanitizer|runtime error:'
}

stage_tsan() {
  build_tree build-tsan --enable-tsan && run_make_check build-tsan || return 1
  LAB_PATIENCE=3 TSAN_OPTIONS=suppressions=$TOP/tests/tsan.supp \
    run_integration tsan build-tsan '' "${TSAN_TESTS[@]}" || return 1
  no_report "$LAB/log/novad.log" 'WARNING: ThreadSanitizer'
}

stage_coverage() {
  build_tree build-coverage --enable-coverage && run_make_check build-coverage || return 1
  local folder percent
  for folder in base objects rpc; do
    percent=$(cd "$TOP/build-coverage" && gcovr --root .. --filter "\.\./$folder/" --exclude '.*/generated/.*' --print-summary \
      --output "$BUILD_LOGS/coverage-$folder.txt" . 2>>"$BUILD_LOGS/gcovr.log" | sed -n 's/^lines: \([0-9.]*\)%.*/\1/p')
    echo "line coverage of $folder: ${percent:-unknown} %"
    if awk -v p="${percent:-0}" 'BEGIN {exit !(p >= 85)}'; then count 1 0 0; else count 0 1 0; fi
  done
}

stage_distcheck() {
  build_tree build || return 1
  make -C "$TOP/build" -j"$(nproc)" distcheck >"$BUILD_LOGS/distcheck.log" 2>&1 </dev/null || {
    tail -n 25 "$BUILD_LOGS/distcheck.log"
    return 1
  }
  count 1 0 0
}
