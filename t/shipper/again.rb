# again.rb < EXPORT: entries of a journal (journalctl -o export), and the records of each again, which have to be the
# journal's text. Prints how many events of how many types there were; what differs to standard error, with exit status 1.
require 'json'
require_relative 'export'
require_relative 'restore'
require_relative '../../k8s/base/fluentd/audit_entry'

events = audit_events($stdin).transform_values { |all| all.map { |e| AuditText.text(e['MESSAGE']).split(' ', 2) } }
# Where the kernel cut EXECVE is not kept: what an entry has of it is compared as one record.
def one_execve(records)
  execve, rest = records.partition { |type, _| type == 'EXECVE' }
  return records if execve.size < 2

  values = AuditArguments.new
  execve.each { |_, text| values.add(text) }
  values.add_to(entry = {})
  Restore.new(entry.merge('type' => ['EXECVE'])).records + rest
end
wrong = events.reject do |id, records|
  entries = AuditEntry.all(id, records, 0, true).map { |e| JSON.parse(JSON.generate(e)) }
  entries.size > 1 || Restore.new(entries.first).records.sort_by { |r| r[0] == 'EXECVE' ? 0 : 1 } == one_execve(records).sort_by { |r| r[0] == 'EXECVE' ? 0 : 1 }
end
wrong.first(5).each { |id, records| warn id, records.map { |r| r.join(' ') } }
puts "#{events.size} events of #{events.values.flatten(1).map(&:first).uniq.size} types"
exit wrong.empty? && !events.empty?
