#!/usr/bin/perl
# The alerts for nodes and shippers fire on recorded metrics of what they are about, and not on those of a healthy node: the rules for
# Prometheus, and the queries of the policy for Cloud Monitoring, which are evaluated by the same promtool.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli qw(run put slurp $tmp);

plan skip_all => 'YAML::XS is missing: apt-get install libyaml-libyaml-perl' unless eval { require YAML::XS };
my ($rules, $policy) = ('k8s/alerts/prometheus.rules.yaml', decode_json(slurp('k8s/alerts/cloud-monitoring.json')));
my @rules = @{YAML::XS::Load(slurp($rules))->{groups}[0]{rules}};

# --- the policy says the same ---
is $policy->{combiner}, 'OR', 'any condition of the policy is enough';
my @conditions = @{$policy->{conditions}};
is_deeply [ map { $_->{conditionPrometheusQueryLanguage}{query} } @conditions ], [ map { $_->{expr} } @rules ],
	'the policy has the queries of the rules';
is_deeply [ map { $_->{displayName} } @conditions ], [ map { $_->{alert} } @rules ], '... under their names';
is_deeply [ map { $_->{conditionPrometheusQueryLanguage}{duration} } @conditions ],
	[ map { (($_->{for} // '0m') =~ /^(\d+)m$/)[0] * 60 . 's' } @rules ], '... for as long';

# --- what to do for each, and where its metrics come from ---
my $readme = slurp('k8s/README.md');
is join(' ', grep { index($readme, "| $_ |") < 0 } map { $_->{alert} } @rules), '', 'k8s/README.md says what to do for each';
# Those of the programs, and ours as the sources build their names: a prefix, and the names in tables or calls.
my %known = map { $_ => 1 } qw(fluentbit_input_ingestion_paused fluentbit_output_errors_total fluentbit_output_retries_total
	fluentd_output_status_buffer_available_space_ratio fluentd_output_status_retry_count node_textfile_mtime_seconds
	kube_daemonset_status_desired_number_scheduled kube_daemonset_status_number_ready);
my %from = map { my ($file, $names) = @$_; my @names = $names->(slurp($file)); ok scalar(@names), "$file has metrics: @names"; $file => \@names }
	[ 'setup/output/prometheus.c', sub {
		my ($prefix, @others) = keys %{{ map { $_ => 1 } $_[0] =~ /\b(\w+_)%s /g }};
		return @others ? () : map { "$prefix$_" } $_[0] =~ /(?:\badd_(?:head|number)\(out, |^#define MATCHES )"(\w+)"/mg } ],
	[ 'k8s/components/fluent-bit/signals.lua', sub {
		my ($prefix) = $_[0] =~ /^ *local name = '(\w+_)' \.\. metric\[1\]$/m;
		return map { "$prefix$_" } $_[0] =~ /^  \{ '(\w+)', '(?:counter|gauge)', /mg } ],
	[ 'k8s/base/fluentd/audit_signals.rb', sub {
		my ($ruby) = @_;
		my %in = map { $_ => [ ($ruby =~ /^  $_ = \{(.*?)\}/ms)[0] =~ /(\w+): '/g ] } qw(COUNTERS GAUGES);
		return of_ruby($ruby), map { my ($table, $before, $after) = @$_; map { "$before$_$after" } @{$in{$table}} }
			map { [ /^(\w+)\.to_h .*:"(\w+)#\{name\}(\w*)"/ ] } $ruby =~ /\b((?:COUNTERS|GAUGES)\.to_h .*)/g } ],
	[ 'k8s/base/fluentd/in_chunk_backup.rb', \&of_ruby ],
	[ 'k8s/base/fluentd/filter_linux_audit_volume.rb', sub { $_[0] =~ /\bregistry\.counter\(:(\w+),/g } ];
sub of_ruby { return $_[0] =~ /\bmetric\(:(?:counter|gauge), :(\w+),/g }
$known{$_} = 1 for map { @$_ } values %from;
sub unknown { return join ' ', grep { !$known{$_} } map { s/\{.*?\}//gr =~ /\b((?:linux_audit|cloud_audit|fluentbit|fluentd|node|kube)_\w+)/g } @_ }
is unknown(map { $_->{expr} } @rules), '', '... and their metrics are those of the programs, or ours';
my $none = 'cloud_audit_status cloud_audit_context cloud_audit_lost cloud_audit_entries_total linux_audit_state linux_audit_records ' .
	'linux_audit_matches linux_audit_batch linux_audit_refused linux_audit_journal';
is unknown("$none > 0"), $none, '... of which no other word of these sources is one';
# An alert is of both shippers: what both count has one name.
my %lua = map { $_ => 1 } @{$from{'k8s/components/fluent-bit/signals.lua'}};
my @ruby = map { @{$from{"k8s/base/fluentd/$_.rb"}} } qw(audit_signals filter_linux_audit_volume);
is join(' ', grep { !$lua{$_} } @ruby), 'linux_audit_journal_hours', '... of fluentd\'s one is not fluent-bit\'s';
is join(' ', grep { my $n = $_; !grep { $_ eq $n } @ruby } sort keys %lua), '', '... and of fluent-bit\'s all are fluentd\'s, too';
my %alias = map { $_ => 1 } slurp('k8s/components/fluent-bit/fluent-bit.yaml') =~ /^ *alias: (\S+)$/mg;
is join(' ', grep { !$alias{$_} } map { $_->{expr} =~ /\{name="(.*?)"/g } @rules), '', '... and the names they ask of fluent-bit are its own';
my %daemonset = map { $_->{metadata}{name} => 1 } YAML::XS::Load(slurp('k8s/base/daemonset.yaml'));
my @asked = map { $_->{expr} =~ /\{daemonset="(.*?)"/g } @rules;
ok @asked && !(grep { !$daemonset{$_} } @asked), '... those they ask of kube-state-metrics, too';
# What GKE's own package has of DaemonSets, as it was in November 2026: an alert on another one would never fire there.
my %gke = map { ("kube_daemonset_status_$_" => 1) } qw(desired_number_scheduled number_misscheduled number_ready updated_number_scheduled);
is join(' ', grep { !$gke{$_} } map { $_->{expr} =~ /\b(kube_\w+)/g } @rules), '', '... of the metrics that GKE\'s package has, too';

# --- what fires ---
SKIP: {
	skip 'promtool is missing: apt-get install prometheus', 2 if (run('promtool', '--version'))[0];
	my %fires = (AuditShipperStandsStill => [ 'still' ], AuditShipperWaits => [ 'full', 'fulld' ], AuditShipperDiskFull => [ 'disk' ],
		AuditShipperRefused => [ 'refused', 'refusedd' ], AuditShipperRetries => [ 'away', 'awayd' ], AuditShipperLags => [ 'behind', 'overtaken' ], AuditJournalOvertakes => [ 'overtaken' ],
		AuditNodeDiffers => [ 'differs' ], AuditNodeNotLocked => [ 'open' ], AuditRecordsLost => [ 'lost', 'lostlate' ],
		AuditWatchSilent => [ 'silent' ], AuditWatchMissing => [ 'never' ], AuditPodNotReady => [ 'failing' ], AuditPodNowhere => [ 'nowhere' ]);
	is join(' ', sort keys %fires), join(' ', sort map { $_->{alert} } @rules), 'every alert has its metrics here';
	my %more = (full => ', name: linux_audit_journal', silent => ', file: /x/cloud-audit-setup.prom',
		never => ', job: node-exporter', (map { $_ => ', namespace: cos-auditd, daemonset: cloud-audit-logging' } qw(failing nowhere)), map { $_ => ', name: cloud_logging' } qw(refused away));
	my $from_policy = put("$tmp/policy.rules.yaml", YAML::XS::Dump({ groups => [ { name => 'policy', rules => [ map { my $c = $_;
		my $q = $c->{conditionPrometheusQueryLanguage}; { alert => $c->{displayName}, expr => $q->{query}, for => $q->{duration} } } @conditions ] } ] }));
	for ([ 'Prometheus', $rules ], [ 'Cloud Monitoring', $from_policy ]) {
		my ($name, $file) = @$_;
		my ($nothing, $everything) = ('', '');
		my %annotation = $file eq $rules ? map { $_->{alert} => $_->{annotations}{summary} } @rules : ();
		my %severity = map { $_->{alert} => $_->{labels}{severity} } @rules;
		for my $alert (sort keys %fires) {
			$nothing .= "  - { eval_time: 110m, alertname: $alert, exp_alerts: [] }\n";
			$everything .= "  - eval_time: 110m\n    alertname: $alert\n    exp_alerts:\n";
			for my $instance (@{$fires{$alert}}) {
				my $labels = "instance: $instance" . ($more{$instance} // '') . ($file eq $rules ? ", severity: $severity{$alert}" : '');
				(my $said = $annotation{$alert} // '') =~ s/\{\{ \$labels.instance \}\}/$instance/;
				$said =~ s/\{\{ \$value \}\}/1000/;
				$everything .= "    - exp_labels: { $labels }\n" . ($said ? "      exp_annotations: { summary: \"$said\" }\n" : '');
			}
		}
		my $absolute = $file =~ m{^/} ? $file : "$ENV{PWD}/$file";
		my $test = slurp('t/shipper/alerts.yaml') =~ s/RULES/$absolute/r =~ s/NOTHING\n/$nothing/r =~ s/EVERYTHING\n/$everything/r;
		my ($code, $out, $err) = run('promtool', 'test', 'rules', put("$tmp/test.yaml", $test));
		is $code, 0, "$name: fires on recorded metrics of each trouble, and on those of a healthy node does not" or diag "$out$err";
	}
}
done_testing;
