#!/bin/sh
# The rules file that we write is read by the host's auditctl into the bytes that we compare: apply and
# verify read back every rule from the kernel.
. t/vm/lib.sh
command -v perl >/dev/null || skip_all 'perl is not installed'

# Lines of t/vectors that load anywhere: no paths, no names, nothing that would log every system call
# in spite of the rule in front of them that stops it.
perl -MJSON::PP -ne '
	s/\\udc[0-9a-f]{2}/?/g;
	my $v = JSON::PP->new->utf8->decode($_);
	next if $v->{kernel61}{add} ne "ok" || ($v->{mode} // "") eq "argv" || $v->{rule_b64};
	next if $v->{rule} =~ m{^ *-A |^ *-w|(?:path|dir|exe)=|-d |-W |subj_|obj_(?:user|role|type|lev)|[^ -~]};
	next if $v->{rule} =~ /\b20(?:3[2-9]|4[0-7])\b/;	# class bits: the kernel lists what it made of them
	print "$v->{rule}\n"' t/vectors/good.jsonl >"$vm_tmp/candidates"
# Those that our engine takes: the rest is in t/10-rules-vectors.t.
mkdir "$vm_tmp/d" "$vm_tmp/root"
cp "$vm_tmp/candidates" "$vm_tmp/d/v.rules"
printf '[rules]\ndirectory = %s\n' "$vm_tmp/d" >"$vm_tmp/config.ini"
build/cloud-audit-setup -c "$vm_tmp/config.ini" render rules 2>&1 >/dev/null |
	sed -n 's,.*error: .*/v\.rules:\([0-9]*\): .*,\1d,p' >"$vm_tmp/refused"
{ echo '-a never,exit -F uid!=4294967290'; sed -f "$vm_tmp/refused" "$vm_tmp/candidates"; } >"$vm_tmp/vectors.rules"
n=$(wc -l <"$vm_tmp/vectors.rules")
[ "$n" -gt 300 ]; ok $? 'many vectors can be loaded anywhere' "$n"

cat >"$vm_tmp/loads" <<'EOF2'
	cd $cas
	# The vectors are of libaudit 3.0.9 and kernel 6.1: older ones know less, and refuse some.
	more='kinds watch-heavy vectors'
	case $(uname -r) in 5.10.*) more='kinds watch-heavy'; skip "$version: the vectors" 'made with libaudit 3.0.9 and kernel 6.1' ;; esac
	version=$(auditctl -v)
	mkdir -p one
	printf '[audit]\nlock = no\n[rules]\ndirectory = %s/one\n' $cas >config.ini
	cas() { ./cloud-audit-setup -c config.ini "$@"; }
	none=
	for event in audit-config apparmor exec socket mmap network logins tty; do none="$none -s events.$event=no"; done
	grep -oE '^-w [^ ]+' watch-heavy.rules | while read -r option path; do mkdir -p "${path%/*}"; done

	# loaded WHAT ARGUMENTS: apply and verify agree with the kernel.
	loaded() {
		what=$1; shift
		out=$(cas "$@" apply 2>&1); ok $? "$version: $what is applied, read back the same" "$(echo "$out" | grep -v lint | head -n 5; journalctl -q -u cloud-audit-setup -n 5 -o cat)"
		out=$(cas "$@" verify 2>&1); ok $? "$version: $what is verified" "$(echo "$out" | grep -v lint | head -n 5)"
		# A rule with nothing but perm is listed as " -p wa". A busy node may drop part of a long list.
		want=$(grep -c '^-[aAwS] ' /etc/audit/cloud-audit-setup.rules)
		for try in 1 2 3 4 5; do
			listed=$(auditctl -l 2>/dev/null | grep -c .)
			[ "$listed" != "$want" ] || break
		done
		is "$listed" "$want" "$version: $what has all its rules"
		longest=$(awk '{ if (length($0) > n) n = length($0) } END { print n }' /etc/audit/cloud-audit-setup.rules)
		[ "$longest" -lt 6143 ]; ok $? "$version: $what has no line that auditctl would cut" "$longest"
		diag "$(grep -c '^-[aA]' /etc/audit/cloud-audit-setup.rules) rules, the longest line of $longest bytes"
	}
	for optimise in no yes; do
		rm -f one/*
		loaded "the shipped set, optimise = $optimise," -s rules.optimise=$optimise
		for rules in $more; do
			rm -f one/*; cp $rules.rules one/
			loaded "$rules.rules, optimise = $optimise," $none -s rules.optimise=$optimise
		done
	done
EOF2

for suite in ${VM_SUITE:-bookworm trixie}; do
	vm_up "auditctl-$suite" plain "$suite"
	t/vm/vm push "$vm" "$vm_tmp/vectors.rules" t/vm-optimise/kinds.rules t/bench-rules/watch-heavy.rules "$cas"
	vm_guest --timeout 900 <"$vm_tmp/loads"
	# The newest suite's machine has the auditctl that comes next, too.
	if [ "$suite" = forky ]; then
		if said=$(t/vm/sid "$vm_tmp/sid" auditd libaudit1 libauparse0t64 2>&1); then
			t/vm/vm push "$vm" "$vm_tmp/sid" "$cas"
			{
				cat <<-'EOF2'
					cd $cas
					before=$(auditctl -v)
					for file in sbin/auditctl lib/x86_64-linux-gnu/libaudit.so.1 lib/x86_64-linux-gnu/libauparse.so.0; do
						mount --bind "$(readlink -f sid/usr/$file)" "$(readlink -f /usr/$file)"
					done
					[ "$(auditctl -v)" != "$before" ]; ok $? "the auditctl of Debian's unstable takes its place" "$(auditctl -v 2>&1)"
					./cloud-audit-setup -q remove; auditctl -D >/dev/null
				EOF2
				cat "$vm_tmp/loads"
			} >"$vm_tmp/again"
			vm_guest --timeout 900 <"$vm_tmp/again"
		elif [ $? -eq 2 ]; then
			skip "the auditctl of Debian's unstable" "it cannot be had: $said"
		else
			ok 1 "the auditctl of Debian's unstable is unpacked" "$said"
		fi
	fi
	t/vm/vm stop "$vm"
done
done_testing
