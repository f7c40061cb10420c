# Records through fluentd's files: standard input as for same.lua, an entry as JSON a line. ARGV[0]: a directory for
# what is known of sessions.
require 'json'
require_relative '../../k8s/base/fluentd/audit_entry'
require_relative '../../k8s/base/fluentd/audit_events'
require_relative '../../k8s/base/fluentd/audit_sessions'
require_relative '../../k8s/base/fluentd/audit_text'

sessions = AuditSessions.new(File.join(ARGV[0], 'sessions.jsonl'), nil)
events = AuditEvents.new
put = lambda do |event|
  AuditEntry.all(event.id, event.records, event.first, event.whole).each do |entry|
    sessions.name(entry)
    puts JSON.generate(entry)
  end
end
$stdin.binmode
$stdin.each_line(chomp: true).with_index(1) do |line, n|
  boot, id, time, message = line.split("\t", 4)
  type, text = AuditText.text(message).split(' ', 2)
  events.boot(boot).each(&put)
  events.add("#{boot}-#{id}", type, text || '', written: time.to_i, now: n / 4000.0, from: '').each(&put)
end
events.give_up(events.quiet(1e9)).each(&put)
