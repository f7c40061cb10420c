#!/usr/bin/perl
# The completions offer what the program takes, in a real bash (with the package bash-completion and without) and a
# real zsh.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my ($bin) = $program =~ m{^(.*)/};
my (undef, $help) = run($program, '--help', 'settings');
my @long = $help =~ /^ {2,6}(?:-\w, )?(--[a-z-]+)/mg;
my @commands = $help =~ /^  ([a-z]+) {2,}\S/mg;
my %takes = map { /^  ([a-z]+\.[\w-]+)=\S* +(\S+)$/ ? ($1 => [split /\|/, $2]) : () } split /\n/, $help;
my @keys = $help =~ /^  ([a-z]+\.[\w-]+)=/mg;

# The words that a table of names in the source has.
sub names {
	my ($table) = @_;
	my ($body) = slurp('setup/config/options.c') =~ /\b\Q$table\E\[\] = \{(.*?)\};/s or die "options.c: $table\n";
	return [$body =~ /"([^"]+)"/g];
}
my ($formats, $machines, $things) = map { names($_) } qw(output_names machine_names render_names);
cmp_ok scalar keys %takes, '>=', 10, 'the program tells its settings';

make_path("$tmp/files/sub");
put("$tmp/files/my.ini", '');

# Runs a script of a shell; what it prints.
sub shell {
	my ($shell, $script, @args) = @_;
	my $file = put("$tmp/script", $script);
	my ($code, $out, $err) = run({ seconds => 300, before => sub {
		$ENV{PATH} = "$bin:$ENV{PATH}";
		chdir "$tmp/files";
	} }, "/bin/$shell", $shell eq 'zsh' ? '-f' : '--norc', $file, @args);
	diag $err if $err ne '' || $code ne '0';
	return $out;
}

# What may stand at the end of a line: [line, expected candidates in any order].
my @bash = (
	['cloud-audit-setup ', @commands],
	['cloud-audit-setup ver', 'verify'],
	['cloud-audit-setup -q pl', 'plan'],
	['cloud-audit-setup --help ', 'settings', 'render'],
	['cloud-audit-setup --help s', 'settings'],
	['cloud-audit-setup -c render p', 'plan'],
	['cloud-audit-setup --config x.ini rem', 'remove'],
	['cloud-audit-setup --', @long],
	['cloud-audit-setup verify --ou', '--output', '--output-file'],
	['cloud-audit-setup -o ', @$formats],
	['cloud-audit-setup --output=', @$formats],
	['cloud-audit-setup --machine ', @$machines],
	['cloud-audit-setup volume --since ', '1h', 'today', 'yesterday'],
	['cloud-audit-setup volume ', ()],
	['cloud-audit-setup explain ', @keys],
	['cloud-audit-setup render ', @$things],
	['cloud-audit-setup --machine aarch64 render ', @$things],
	['cloud-audit-setup render rules ', 'my.ini', 'sub'],
	['cloud-audit-setup render unit ', ()],
	['cloud-audit-setup apply ', ()],
	['cloud-audit-setup -c ', 'my.ini', 'sub'],
	['cloud-audit-setup --root ', 'sub'],
	['cloud-audit-setup -s audit.on_locked=s', 'stage'],
	['cloud-audit-setup --set=audit.backlog_wait_time=', 'keep'],
	['cloud-audit-setup --set ima.policy=exec', 'exec', 'exec,mmap'],
	map { ["cloud-audit-setup --set $_=", @{$takes{$_}}] } sort keys %takes,
);
my $ask = <<'END';
source "$1"
while IFS= read -r line; do
	COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
	_cloud_audit_setup cloud-audit-setup
	printf '%s\n' "${COMPREPLY[*]}"
done <"$2"
COMP_LINE='cloud-audit-setup --set ' COMP_POINT=24 COMPREPLY=()
_cloud_audit_setup cloud-audit-setup
printf '%s\n' "${COMPREPLY[@]%%=*}" | sort -u | tr '\n' ' '
END
put("$tmp/lines", join '', map { "$_->[0]\n" } @bash);
my @got = split /\n/, shell('bash', $ask, abs_path('setup/completion/bash'), "$tmp/lines"), -1;
for my $case (@bash) {
	my ($line, @want) = @$case;
	is join(' ', sort split / /, shift @got), join(' ', sort @want), "bash: '$line'";
}
is $got[0], join(' ', sort @keys) . ' ', 'bash: --set has every setting';

# A line with a TAB, typed to a shell with a terminal: what it runs is what the stub writes down.
my $stub = put("$tmp/stub/cloud-audit-setup",
	"#!/bin/sh\ncase \$1 in --help) exec $program \"\$@\";; esac\necho \"\$*\" >>$tmp/ran\n");
chmod 0755, $stub or die;
sub typed {
	my ($start, @lines) = @_;
	unlink "$tmp/ran";
	put("$tmp/typed", join '', map { "$_\n" } (map { "$_\t" } @lines), 'exit');
	put("$tmp/rc", "PS1='> '; bind 'set enable-bracketed-paste off' 'set bell-style none' 2>/dev/null\nPATH=$tmp/stub:\$PATH\n$start\n");
	run({ seconds => 300 }, '/bin/sh', '-c', "TERM=dumb HOME=$tmp exec script -qec 'bash --rcfile $tmp/rc -i' /dev/null <$tmp/typed");
	return -e "$tmp/ran" ? slurp("$tmp/ran") : '';
}
SKIP: {
	skip 'script is not installed: apt-get install bsdutils', 2 if !-x '/usr/bin/script';
	my @lines = ('cloud-audit-setup ver', 'cloud-audit-setup --set audit.on_locked=st', 'cloud-audit-setup --set=unit.mode=t');
	my $ran = "verify\n--set audit.on_locked=stage\n--set=unit.mode=transient\n";
	is typed('source ' . abs_path('setup/completion/bash'), @lines), $ran,
		'bash alone, on a terminal: TAB completes commands and settings';
	skip 'bash-completion is not installed: make deps', 1 if !-e '/usr/share/bash-completion/bash_completion';
	make_path("$tmp/data/bash-completion/completions");
	put("$tmp/data/bash-completion/completions/cloud-audit-setup", slurp('setup/completion/bash'));
	is typed("export XDG_DATA_DIRS=$tmp/data\nsource /usr/share/bash-completion/bash_completion", @lines), $ran,
		'with bash-completion, which finds the file by its name: the same';
}

# --- zsh, in a terminal of its own ---
# The candidates come from compadd, which is where zsh takes them.
my @zsh = (
	['cloud-audit-setup ', @commands],
	['cloud-audit-setup --', @long],
	['cloud-audit-setup -o ', @$formats],
	['cloud-audit-setup --machine ', @$machines],
	['cloud-audit-setup --since ', '1h', 'today', 'yesterday'],
	['cloud-audit-setup render ', @$things],
	['cloud-audit-setup --help ', 'settings', 'render'],
	['cloud-audit-setup --set ', @keys],
	['cloud-audit-setup -s audit.on_locked=', @{$takes{'audit.on_locked'}}],
	['cloud-audit-setup --set=events.mmap=', @{$takes{'events.mmap'}}],
	['cloud-audit-setup --set ima.policy=', @{$takes{'ima.policy'}}],
	['cloud-audit-setup --root ', 'sub'],
	['cloud-audit-setup --set audit.lock=no --config ', 'my.ini', 'sub'],
);
# Nothing is typed: the line editor itself, when it starts, takes one line after the other. Keys would be lost or
# reordered while the terminal is between two modes.
my $drive = <<'END';
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; source $1/rc"
while zpty -r shell text; do :; done
END
my $rc = <<END;
zstyle ':completion:*' menu no
setopt no_auto_menu no_auto_list no_beep
LISTMAX=1000
compadd() {
	if (( \${@[(I)-O]} || \${@[(I)-A]} || \${@[(I)-D]} )); then builtin compadd "\$@"; return; fi
	local -a __found
	builtin compadd -O __found "\$@"
	(( \$#__found )) && print -r -- \$__found >>$tmp/zsh/out
	builtin compadd "\$@"
}
zle-line-init() {
	local line
	while IFS= read -r line; do
		BUFFER=\$line CURSOR=\$#line
		zle complete-word </dev/null
		print -- -- >>$tmp/zsh/out
	done <$tmp/lines
	exit
}
zle -N zle-line-init
END
SKIP: {
	skip 'zsh is not installed: make deps', scalar @zsh if !-x '/bin/zsh';
	put("$tmp/zsh/_cloud-audit-setup", slurp('setup/completion/zsh'));
	put("$tmp/zsh/rc", $rc);
	put("$tmp/zsh/out", '');
	put("$tmp/lines", join '', map { "$_->[0]\n" } @zsh);
	shell('zsh', $drive, "$tmp/zsh");
	my @out = split /^--\n/m, slurp("$tmp/zsh/out");
	for my $case (@zsh) {
		my ($line, @want) = @$case;
		my %found = map { $_ => 1 } map { s/=$//r } split ' ', shift @out // '';
		is join(' ', sort keys %found), join(' ', sort @want), "zsh: '$line'";
	}
}
done_testing;
