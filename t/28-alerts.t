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
my $ours = slurp('k8s/components/fluent-bit/signals.lua') . join '', map { slurp($_) } glob 'k8s/base/fluentd/*';
$ours .= slurp('setup/output/prometheus.c');
my %known = map { $_ => 1 } qw(fluentbit_input_ingestion_paused fluentbit_output_errors_total fluentbit_output_retries_total
	fluentd_output_status_buffer_available_space_ratio fluentd_output_status_retry_count node_textfile_mtime_seconds);
my @asked = map { my $e = $_->{expr}; $e =~ /\b((?:linux_audit|cloud_audit|fluentbit|fluentd|node)_\w+)/g } @rules;
is join(' ', grep { my $n = s/^(?:linux|cloud)_audit_//r; !$known{$_} && $ours !~ /\b\Q$n\E\b|\b\Q$_\E\b/ } @asked), '',
	'... and their metrics are those of the programs, or ours';

# --- what fires ---
SKIP: {
	skip 'promtool is missing: apt-get install prometheus', 2 if (run('promtool', '--version'))[0];
	my %fires = (AuditShipperStandsStill => [ 'still' ], AuditShipperWaits => [ 'full', 'fulld' ], AuditShipperDiskFull => [ 'disk' ],
		AuditShipperRefused => [ 'refused', 'refusedd' ], AuditShipperRetries => [ 'away', 'awayd' ], AuditShipperLags => [ 'behind' ],
		AuditNodeDiffers => [ 'differs' ], AuditNodeNotLocked => [ 'open' ], AuditRecordsLost => [ 'lost', 'lostlate' ],
		AuditWatchSilent => [ 'silent' ], AuditWatchMissing => [ 'never' ]);
	is join(' ', sort keys %fires), join(' ', sort map { $_->{alert} } @rules), 'every alert has its metrics here';
	my %more = (full => ', name: linux_audit_journal', silent => ', file: /x/cloud-audit-setup.prom',
		never => ', job: node-exporter', map { $_ => ', name: cloud_logging' } qw(refused away));
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
