#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The files of etc/ and docs/man are what their readers accept. Tools that are not there are skipped.
src=$(cd "${G_TEST_SRCDIR:-.}" && pwd) build=$(cd "${G_TEST_BUILDDIR:-.}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0
result() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		cut -c1-300 "$work/out" | sed 's/^/# /' 
		failed=1
	fi
}
skip() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }

if command -v systemd-analyze >/dev/null; then
	# The program of the unit is where this build is, the user is one that exists.
	sed -e "s|^ExecStart=@[^ ]*|ExecStart=@$build/novad|" -e 's/^\(User\|Group\)=nova/\1=root/' "$build/etc/novad.service" > "$work/novad.service"
	if systemd-analyze verify --man=no --recursive-errors=no "$work/novad.service" > "$work/out" 2>&1 && [ ! -s "$work/out" ]; then
		result 0 "systemd-analyze verify"
	else
		result 1 "systemd-analyze verify"
	fi
else
	skip "systemd-analyze verify" "no systemd-analyze"
fi

grep -q '@[a-z]*dir@' "$build/etc/novad.service" "$build"/docs/man/novad.8 "$build"/docs/man/novad.conf.5 > "$work/out"
[ $? -eq 1 ]; result $? "no placeholder is left"

for folder in tmpfiles sysusers; do
	if command -v systemd-$folder >/dev/null && [ "$(id -u)" -eq 0 ]; then
		mkdir -p "$work/root/etc"
		printf 'root:x:0:\nadm:x:4:\nnova:x:150:\n' > "$work/root/etc/group"
		printf 'root:x:0:0::/root:/bin/sh\nnova:x:150:150::/var/lib/nova:/bin/false\n' > "$work/root/etc/passwd"
		case $folder in
		tmpfiles) systemd-tmpfiles --root="$work/root" --create "$src/etc/tmpfiles/novad.conf" > "$work/out" 2>&1 && [ -d "$work/root/var/lib/nova/instances" ] ;;
		sysusers) systemd-sysusers --root="$work/root" "$src/etc/sysusers/novad.conf" > "$work/out" 2>&1 && grep -q '^libvirt:.*nova' "$work/root/etc/group" ;;
		esac
		result $? "systemd-$folder"
	else
		skip "systemd-$folder" "not here, or not root"
	fi
done

for page in novad.8 novactl.1 novad.conf.5; do
	if command -v man >/dev/null; then
		LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l "$build/docs/man/$page" > "$work/text" 2> "$work/out" && [ -s "$work/text" ] && [ ! -s "$work/out" ]
		result $? "man page $page"
	else
		skip "man page $page" "no man"
	fi
done

for name in novad novactl; do
	if command -v bash >/dev/null; then
		case $name in novad) word=--check-c want=--check-config ;; novactl) word=conf want=config ;; esac
		bash -c ". $src/etc/bash-completion/$name; COMP_WORDS=($build/$name $word); COMP_CWORD=1; _$name; echo \"\${COMPREPLY[*]}\"" > "$work/out" 2>&1
		[ "$(cat "$work/out")" = "$want" ]; result $? "completion of $name"
	else
		skip "completion of $name" "no bash"
	fi
done

"$build/tests/tools/config-dump" --config-file "$src/etc/nova.conf.sample" --config-dir "$work" > "$work/out" && grep -q '"problems":\[\]' "$work/out"
result $? "the sample configuration has no problem"
"$build/novactl" config --config-file "$src/etc/nova.conf.sample" --config-dir "$work" > "$work/out" && grep -q '^\[DEFAULT\] transport_url = \*\*\*\*  # .*nova.conf.sample:[0-9]*$' "$work/out"
result $? "novactl config hides secrets"
"$build/novactl" nonsense > "$work/out" 2>&1; [ $? -eq 2 ]; result $? "novactl refuses an unknown command"
echo "1..$count"
exit $failed
