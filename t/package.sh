#!/usr/bin/env bash
# What "make install", debian/ and the RPM spec say is the same, and the units are what systemd takes.  With
# FIREBREAK_PACKAGE=long (make package-check, as root) the Debian package is built twice and lives through all that dpkg does to
# one, in a bare system of its own.  TAP.
set -u
src=$(cd "${top_srcdir:-.}" && pwd) build=$(cd "${top_builddir:-.}" && pwd)
PATH=$PATH:/usr/sbin:/sbin
. "$src/t/tap.sh"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/firebreak-package-XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$work"' EXIT
has() { command -v "$1" >/dev/null; }
is() { [ "$2" = "$3" ]; ok $? "$1" "     got: $2"$'\n'"expected: $3"; }	# is NAME GOT EXPECTED
none() { [ -z "$2" ]; ok $? "$1" "$2"; }				# none NAME LINES

# ---- one version ----
version=$(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"$/\1/p' "$build/config.h")
[ -n "$version" ]; ok $? "configure knows its version ($version)"
is "NEWS begins with it" "$(sed -n 1p "$src/NEWS")" "$version"
is "so does debian/changelog" "$(sed -n '1s/^firebreak (\(.*\)) .*/\1/p' "$src/debian/changelog")" "$version"
is "the RPM spec has it" "$(sed -n 's/^Version: *//p' "$build/rpm/firebreak.spec")" "$version"

# ---- what is installed: by Debian's folders, which are those of the package ----
modules=/usr/lib/triplet/c_icap
install_into() {	# install_into DESTDIR GOAL
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$build" "$2" DESTDIR="$1" prefix=/usr sysconfdir=/etc libexecdir=/usr/libexec \
		systemdsystemunitdir=/lib/systemd/system cicapmodulesdir=$modules 2>&1
}
tree=$work/tree
said=$(install_into "$tree" install); ok $? "make install DESTDIR=" "$said"
find "$tree" ! -type d -printf '/%P\n' | grep -v '\.la$' | sort >"$work/installed"
[ "$(wc -l <"$work/installed")" -gt 50 ]; ok $? "it installs files ($(wc -l <"$work/installed"))"
none "nothing that is text has DESTDIR in it" "$(grep -rIlF -e "$tree" "$tree" --exclude='*.la')"
none "nothing is left to be filled in" "$(grep -rIlE '@[a-z]+dir@' "$tree")"
said=$(install_into "$tree" uninstall) && none "make uninstall leaves nothing" "$(find "$tree" ! -type d)"

units=$build/etc/systemd
timers=$(cd "$src/etc/systemd" && ls -- *.timer)
services=$(cd "$src/etc/systemd" && ls -- *.service.in | sed 's/\.in$//')
[ -n "$timers" ] && [ -n "$services" ]; ok $? "there are units"

# ---- debian/ ----
none "each service that can be enabled is named in debian/rules" "$(for unit in $services; do
	! grep -q '^\[Install\]' "$src/etc/systemd/$unit.in" || grep -q "dh_installsystemd.* $unit" "$src/debian/rules" || echo "$unit"; done)"
none "each timer has a service" "$(for unit in $timers; do [ -f "$units/${unit%.timer}.service" ] || echo "$unit"; done)"
none "what the package says of folders, and what postinst makes, is the same" "$(diff \
	<(sed -n 's|^d /var/lib/firebreak/\([a-z]*\)\s.*|\1|p' "$src/etc/tmpfiles.d/firebreak.conf" | sort) \
	<(sed -n 's/.*for folder in \(.*\); do/\1/p' "$src/debian/firebreak.postinst" | tr ' ' '\n' | sort))"
said=$(for script in "$src"/debian/firebreak.p*; do sh -n "$script" 2>&1; done); none "the scripts of the package are shell" "$said"
none "README, NEWS and others of the package's documents are there" "$(cd "$src" && ls -d -- $(cat debian/firebreak.docs \
	debian/firebreak.examples) 2>&1 >"$work/documents")"
# ---- the RPM spec ----
spec_macros=(--define "_unitdir /lib/systemd/system" --define "_tmpfilesdir /usr/lib/tmpfiles.d" --define "_libdir /usr/lib/triplet"
	--define "_libexecdir /usr/libexec" --define "cicap_version 0.6.2" --define "tmpfiles_create %{nil}"
	--define "systemd_post() true" --define "systemd_preun() true" --define "systemd_postun_with_restart() true")
if has rpmspec; then
	HOME=$work rpmspec -P --with apparmor "${spec_macros[@]}" "$build/rpm/firebreak.spec" >"$work/spec" 2>"$work/spec.err"
	ok $? "rpmspec reads the spec" "$(cat "$work/spec.err")"
	sed -n '/^%files/,/^%changelog/p' "$work/spec" | sed -nE 's/^(%config\(noreplace\) )?(\/.*)/\2/p' >"$work/files"
	none "the spec has each file that is installed, and no other" "$(
		while read -r pattern; do
			[ "${pattern%/}" = "$pattern" ] || pattern=$pattern*
			found=
			while read -r file; do
				# shellcheck disable=SC2053
				[[ $file == $pattern ]] && found=1 && echo "$file" >>"$work/matched"
			done <"$work/installed"
			[ -n "$found" ] || echo "not installed: $pattern"
		done <"$work/files"
		sort -u "$work/matched" | comm -13 - "$work/installed")"
	none "it names each unit that is enabled" "$(for unit in $timers $(grep -l '^\[Install\]' "$src"/etc/systemd/*.service.in |
		sed 's|.*/||; s/\.in$//'); do grep -q "%systemd_post .*$unit" "$build/rpm/firebreak.spec" || echo "$unit"; done)"
	none "both packages have the same documents" "$(diff <(sed '/^$/d' "$work/documents" | sort) \
		<(sed -nE 's/^%doc //p' "$work/spec" | tr ' ' '\n' | sort))"
else
	skip "the RPM spec" "rpmspec is missing (rpm)"
fi

lines_of() { grep -oE "'\^\[\[:space:\]\]\*[A-Za-z_]+\[\[:space:\]\][^']*'" "$1" | sort -u; }
sed -n '/^%preun/,/^%postun/p' "$build/rpm/firebreak.spec" >"$work/preun"
is "the package looks for two kinds of lines of others before it goes" "$(lines_of "$src/debian/firebreak.prerm" | wc -l)" 2
none "and so does the spec" "$(diff <(lines_of "$src/debian/firebreak.prerm") <(lines_of "$work/preun"))"
for part in post preun; do
	said=$(sed -n "/^%$part\$/,/^%/p" "$build/rpm/firebreak.spec" | sed '/^%/d; s/%{_bindir}/\/usr\/bin/g; s/%%/%/g' | bash -n 2>&1)
	none "what the spec does in %$part is shell" "$said"
done

# ---- systemd, AppArmor ----
if has systemd-analyze; then
	mkdir -p "$work/units"
	for unit in $services; do
		sed 's|^\(Exec[A-Za-z]*\)=[^ ]*/firebreak|\1=/bin/true|' "$units/$unit" >"$work/units/$unit"
		grep -q '^ExecStart=/bin/true' "$work/units/$unit"; ok $? "$unit starts firebreak"
		said=$(systemd-analyze security --offline=true --threshold=25 --no-pager "$work/units/$unit" 2>&1)
		ok $? "$unit is exposed by less than 2.5 ($(sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p' <<<"$said"))" "$said"
	done
	cp "$src"/etc/systemd/*.timer "$work/units"
	if [ -r /lib/systemd/system/c-icap.service ]; then
		cp /lib/systemd/system/c-icap.service "$work/units"
		mkdir "$work/units/c-icap.service.d"
		cp "$src/etc/systemd/c-icap.service.d/firebreak.conf" "$work/units/c-icap.service.d"
	fi
	# Of units that are not ours it has things to say, too.
	said=$(SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no "$work"/units/*.service "$work"/units/*.timer 2>&1 | grep -E 'firebreak|c-icap')
	none "systemd has nothing to say about the units" "$said"
else
	skip "the units" "systemd-analyze is missing"
fi
if has apparmor_parser && [ -r /etc/apparmor.d/abstractions/base ]; then
	said=$(apparmor_parser -Q -K "$build/etc/apparmor.d/firebreak" 2>&1); ok $? "AppArmor reads the profiles" "$said"
else
	skip "the profiles" "apparmor_parser is missing (apparmor)"
fi

if [ "${FIREBREAK_PACKAGE:-}" = long ]; then
	. "$src/t/package_root.sh"
fi
tap_done
