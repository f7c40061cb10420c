# bytes.rb < EXPORT: what execs cost as log entries, from a journal (journalctl -o export): payload of the entries as
# Cloud Logging gets it, in bytes. Prints, an exec in the mean: EXECS RECORDS; entries and bytes of theirs, which is one
# entry a SYSCALL and EXECVE record with all of journald's fields (COS's own rules, Google's manifest); bytes of ours;
# bytes of ours with the names of a container and its Pod; bytes around the payload of one entry.
require 'json'
require_relative 'export'
require_relative '../../k8s/base/fluentd/audit_entry'

def payload(entry) = JSON.generate(entry.except('key', 'keys', 'severity', 'id', 'host'))

CONTAINER = { 'id' => '6f1ed002ab55' * 5 + '6f1e', 'name' => 'frontend', 'pod' => 'frontend-7d4b9c6d5-x2x5b', 'namespace' => 'production',
              'pod_uid' => '0f5a1ac2-5b3e-4c39-9e0c-5a4e2d0b8a11', 'source' => 'start' }.freeze
execs = audit_events($stdin).select do |_, all|
  types = all.map { |e| e['_AUDIT_TYPE_NAME'] }
  types.include?('EXECVE') && types.include?('CWD') && types.include?('PATH') && all.any? { |e| e['MESSAGE'].match?(/ key="exec"/) }
end
abort 'no execs' if execs.empty?
sums = execs.map do |id, all|
  theirs = all.select { |e| %w[SYSCALL EXECVE].include?(e['_AUDIT_TYPE_NAME']) }
              .map { |e| JSON.generate(e.reject { |n, _| n.start_with?('__') }.to_h { |n, v| [n.sub(/\A_+/, ''), AuditText.text(v)] }).bytesize }
  entry, *more = AuditEntry.all(id, all.map { |e| AuditText.text(e['MESSAGE']).split(' ', 2) }, 0, true)
  next unless more.empty?

  # In a container the login uid and the session are long numbers.
  inside = entry.merge('auid' => 3_333_333_333, 'ses' => 12_345, 'class' => 'container', 'container' => CONTAINER)
  around = JSON.generate('timestamp' => '2026-11-29T08:00:00.000000000Z', 'severity' => 'INFO', 'insertId' => entry['id'], 'labels' => { 'key' => 'exec' },
                         'jsonPayload' => {}).bytesize
  [all.size, theirs.size, theirs.sum, payload(entry).bytesize, payload(inside).bytesize, around]
end.compact
puts [sums.size, *sums.transpose.map { |all| (all.sum.to_f / sums.size).round(all.sum / sums.size < 100 ? 1 : 0) }].join(' ')
