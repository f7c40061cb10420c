# Every field by which public rules ask (t/shipper/sigma-fields) is in some entry that the component sigma has seen: of a shell
# that starts a program, and of systemd's record of a unit. TAP.
require 'json'
require_relative 'fluent'
require_relative 'tap'

def call(pid, ppid, exe) = ['SYSCALL', "arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=1 ppid=#{ppid} pid=#{pid} auid=1000 uid=0 " \
                                       "gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=2 comm=\"x\" exe=\"#{exe}\" subj=unconfined key=\"exec\""]
REST = [['CWD', 'cwd="/srv"'], ['PATH', 'item=0 name="/bin/x" inode=7 dev=fe:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 ' \
                                        'cap_fe=0 cap_fver=0 cap_frootid=0']].freeze
EVENTS = [[call(10, 1, '/bin/sh'), ['EXECVE', 'argc=1 a0="sh"'], *REST],
          [call(11, 10, '/bin/tool'), ['EXECVE', "argc=8 #{(0..7).map { |i| "a#{i}=\"arg#{i}\"" }.join(' ')}"], *REST],
          [['SERVICE_START', "pid=1 uid=0 auid=4294967295 ses=4294967295 subj=unconfined msg='unit=demo comm=\"systemd\" exe=\"/lib/systemd/systemd\" " \
                             "hostname=? addr=? terminal=? res=success'"]]].freeze

filter = Fluent::Plugin::LinuxAuditSigmaFilter.new
seen = EVENTS.each_with_index.flat_map { |records, i| AuditEntry.all("#{'ab' * 16}-#{i}", records, 0, true) }
             .map { |e| filter.filter('t', nil, JSON.parse(JSON.generate(e))) }
File.foreach("#{__dir__}/sigma-fields") do |line|
  next if line.start_with?('#')

  of, _rules, *fields = line.split
  is(fields.reject { |name| seen.any? { |e| !e[name].nil? } }, [], "#{of}: there is an answer for each of the #{fields.size} fields")
end
is(seen[1].values_at('a7', 'ParentImage', 'CommandLine', 'unit'), ['arg7', '/bin/sh', (0..7).map { |i| "arg#{i}" }.join(' '), nil], '... which is the right one')
puts "1..#{$n}"
