# rules.rb < EXPORT: rules for detection, as Sigma and Elastic write them, on the entries of a journal in which
# t/vm-events/lib.sh has acted: which of them find what was done, and which do not. TAP.
require 'json'
require_relative 'fluent'
require_relative 'export'
require_relative 'tap'

MODIFIERS = { nil => ->(has, want) { has == want }, 'contains' => ->(has, want) { has.include?(want) },
              'startswith' => ->(has, want) { has.start_with?(want) }, 'endswith' => ->(has, want) { has.end_with?(want) } }.freeze
# A field of several values fits when one of them does; a list of values, when one of it does.
def fits?(entry, rule)
  rule.all? do |field, values|
    name, modifier = field.split('|')
    Array(entry.dig(*name.split('.'))).any? { |has| Array(values).any? { |want| MODIFIERS.fetch(modifier).call(has.to_s, want) } }
  end
end

SIGMA = {
  'auditd: a program is given the right of its owner' => { 'type' => 'EXECVE', 'a0|endswith' => 'chmod', 'a1|contains' => 'u+s' },
  'auditd: something is decoded' => { 'type' => 'EXECVE', 'a0' => 'base64', 'a1' => ['-d', '--decode'] },
  'auditd: a call by its name, and the program' => { 'type' => 'SYSCALL', 'SYSCALL' => 'execve', 'exe|endswith' => '/base64', 'key' => 'exec', 'euid' => '0' },
  'auditd: a file by its name' => { 'type' => 'PATH', 'name|endswith' => 'bin/chmod', 'nametype' => 'NORMAL' },
  'process_creation: a command line' => { 'Image|endswith' => '/chmod', 'CommandLine|contains' => 'u+s /run/', 'User' => 'root' },
  'process_creation: what a shell has started, and where' => { 'ParentImage|endswith' => %w[/dash /sh], 'ParentCommandLine|contains' => 'chmod', 'Image|endswith' => '/base64',
                                                             'CurrentDirectory' => '/run' }
}.freeze
ELASTIC = {
  'ecs: the start of a process' => { 'event.category' => 'process', 'event.type' => 'start', 'process.name' => 'base64', 'process.args' => '-d' },
  'ecs: its command line, directory and user' => { 'process.command_line|startswith' => 'chmod u+s', 'process.working_directory' => '/run', 'user.id' => '0',
                                                   'event.outcome' => 'success', 'tags' => 'exec' }
}.freeze
NEVER = { 'type' => 'EXECVE', 'a0' => 'base64', 'a1' => '-w' }.freeze

def made(events, filter)
  events.flat_map { |id, all| AuditEntry.all(id, all.map { |e| AuditText.text(e['MESSAGE']).split(' ', 2) }, 0, true) }
        .map { |e| filter.filter('linux-auditd', nil, JSON.parse(JSON.generate(e))) }
end

events = audit_events($stdin)
sigma = made(events, Fluent::Plugin::LinuxAuditSigmaFilter.new)
ecs = made(events, Fluent::Plugin::LinuxAuditEcsFilter.new)
SIGMA.each { |name, rule| is(sigma.any? { |e| fits?(e, rule) }, true, "found by its rule: #{name}") }
ELASTIC.each { |name, rule| is(ecs.any? { |e| fits?(e, rule) }, true, "found by its rule: #{name}") }
is(sigma.any? { |e| fits?(e, NEVER) }, false, 'what was not done, is not found')
puts "1..#{$n}"
