# Entries of made-up records, and these again of the entries: TAP.
require 'json'
require 'fileutils'
require 'tmpdir'
require_relative 'tap'
require_relative 'restore'
require_relative '../../k8s/base/fluentd/audit_entry'
require_relative '../../k8s/base/fluentd/audit_proc'
require_relative '../../k8s/base/fluentd/audit_sessions'

ID = "#{'0123456789abcdef' * 2}-7".freeze

def records(*texts) = texts.map { |text| text.split(' ', 2) }
def entries(records, whole: true) = AuditEntry.all(ID, records, 0, whole).map { |e| JSON.parse(JSON.generate(e)) }
def entry(*texts) = entries(records(*texts)).first

# --- the texts can be made again ---
events = File.read("#{__dir__}/records").split("\n\n").map { |event| records(*event.split("\n")) }
wrong = events.reject { |event| Restore.new(entries(event).first).records == event }
is(wrong, [], "the text of #{events.flatten(1).map(&:first).uniq.size} types of records can be made again of entries")
# ... and not when anything of an entry is missing: so what is compared with a journal (again.rb) finds a field that is lost, and
# nothing is there twice, but for the family of an address that stands there as it is, and the empty title of an empty command line.
def without(value, &block)
  case value
  when Hash then value.each_key { |k| block.call(value.except(k), k) || without(value[k]) { |v, at| block.call(value.merge(k => v), "#{k}.#{at}") } }
  when Array then value.each_index { |i| block.call(value[0...i] + value[i + 1..], i) || without(value[i]) { |v, at| block.call(value[0...i] + [v] + value[i + 1..], "#{i}.#{at}") } }
  end
end
unseen = events.flat_map do |event|
  entry = entries(event).first
  found = []
  without(entry.except('format', 'event', 'severity', 'id')) do |less, at|
    found << "#{event[0]}: #{at}" if (Restore.new(less).records rescue nil) == event
    false
  end
  found
end
is(unseen.map { |at| at[/\S+\z/] }, %w[sockaddr.family sockaddr.family proctitle], '... of an entry that lacks any field, element or part of one it cannot')
File.write(ARGV[0], events.flat_map { |event| entries(event) }.map { |e| "#{JSON.generate(e)}\n" }.join) if ARGV[0]

exec, error, connect, inet6 = events.map { |event| entries(event).first }
is(exec.slice('arch', 'syscall', 'success', 'key', 'argv', 'cwd', 'pid', 'severity'),
   { 'arch' => 'x86_64', 'syscall' => 'execve', 'success' => 'yes', 'key' => 'exec', 'argv' => ['sh', '-c', 'ls -l'],
     'cwd' => '/root', 'pid' => 11, 'severity' => 'INFO' }, 'names, numbers and arguments are decoded')
is(exec.keys & %w[exit items gid euid suid fsuid egid sgid fsgid subj proctitle], [], 'what is usual is left out')
is(exec['paths'], [{ 'name' => '/bin/sh', 'inode' => 12, 'dev' => 'fe:01' },
                   { 'inode' => 13, 'dev' => 'fe:01', 'mode' => '0104755', 'ouid' => 5, 'ogid' => 6, 'nametype' => 'CREATE',
                     'cap_fp' => '1ff', 'cap_fe' => '1', 'cap_fver' => '2' }], '... of paths, too, and nothing else')
is(error.slice('arch', 'exit', 'keys', 'comm', 'cwd', 'subj', 'fsgid', 'auid'),
   { 'arch' => 'i386', 'exit' => 'ENOENT', 'keys' => %w[exec tmp], 'comm' => 'aéb', 'cwd' => "/a b/\u{E0FF}",
     'subj' => 'cri-containerd.apparmor.d (enforce)', 'fsgid' => 8 }, 'what is not, is there: errors by name, several keys')
is([connect['sockaddr'], inet6['sockaddr']], [{ 'family' => 'inet', 'address' => '10.0.0.1', 'port' => 80 },
                                              { 'family' => 'inet6', 'address' => '2001:db8::1', 'port' => 443 }], 'addresses are decoded')

# Linux 6.18 and later, where several security modules have a name for a process.
several = events.map { |event| entries(event).first }.find { |e| e['subj'] == '?' }
is(several['records'].map { |r| r.slice('type', 'subj_selinux', 'subj_apparmor', 'obj_smack') },
   [{ 'type' => 'MAC_TASK_CONTEXTS', 'subj_selinux' => 'system_u:system_r:init_t:s0', 'subj_apparmor' => 'unconfined' },
    { 'type' => 'UNKNOWN[1421]', 'obj_smack' => '_' }], 'each module\'s name of a process and of an object is a field')

# --- severity ---
{ 'AVC apparmor="DENIED" operation="open"' => 'WARNING', 'AVC apparmor="ALLOWED" operation="open"' => 'INFO',
  'AVC apparmor="STATUS" operation="profile_load"' => 'NOTICE', 'AVC avc:  denied  { read } for' => 'WARNING',
  'CONFIG_CHANGE op=add_rule key="own" list=4 res=1' => 'NOTICE', 'CONFIG_CHANGE op=set audit_enabled=0 old=2 res=0' => 'WARNING',
  "USER_AUTH pid=1 msg='op=PAM:authentication res=failed'" => 'WARNING', "USER_LOGIN pid=1 msg='op=login res=0'" => 'WARNING',
  "USER_AUTH pid=1 msg='op=PAM:authentication res=success'" => 'INFO', "USER_LOGIN pid=1 msg='op=login res=01'" => 'INFO',
  'ANOM_PROMISCUOUS dev=eth0' => 'WARNING', 'INTEGRITY_RULE file="/usr/bin/true"' => 'INFO',
  'INTEGRITY_DATA op=appraise_data' => 'WARNING', 'SYSCALL success=no exit=-13' => 'INFO' }.each do |text, severity|
  is(entry(text)['severity'], severity, "#{text}: #{severity}")
end

# --- hostile bytes ---
bytes = (0..255).map(&:chr).join.b + "\xEE\x80\xFF\u{E041}é\xC3".b
hex = bytes.unpack1('H*').upcase
hostile = records("EXECVE argc=2 a0=\"x\" a1=#{hex}", "CWD cwd=#{hex}", "PROCTITLE proctitle=#{hex}", "PATH item=0 name=#{hex} nametype=NORMAL",
                  "USER pid=1 msg='#{AuditText.text(bytes.tr("\n", '').b)}'")
made = entries(hostile).first
is([JSON.generate(made).valid_encoding?, Restore.new(made).records], [true, hostile], 'all bytes that there are come out as text, and back')
['EXECVE argc=1 a0=6C', 'EXECVE argc=1 a0=61', 'CWD cwd="a b"', 'PATH item=00 name="x"', 'SYSCALL', 'SYSCALL arch=x', 'SOCKADDR saddr=zz',
 'EXECVE argc=2 a0="x" a1', 'USER_LOGIN', 'CWD', 'PATH name="a" name="b"'].each do |text|
  type, rest = text.split(' ', 2)
  is(Restore.new(entries([[type, rest || '']]).first).records, [[type, rest || '']], "#{text}: kept as it stands")
end

# --- sizes ---
# As the kernel cuts them: in pieces of 7,500 characters, the long ones with their length.
def execve(arguments)
  size = 0
  pieces = ["argc=#{arguments.size}"]
  arguments.each_with_index do |argument, i|
    pieces << "a#{i}_len=#{argument.bytesize}" if argument.bytesize > 3000
    argument.bytes.each_slice(3000).with_index do |part, n|
      pieces << "a#{i}#{argument.bytesize > 3000 ? "[#{n}]" : ''}=#{part.pack('C*').unpack1('H*').upcase}"
    end
  end
  pieces.slice_when { |a, b| (size += a.size) + b.size > 7000 && (size = 0) }.map { |text| "EXECVE #{text.join(' ')}" }
end
{ 'an argument of 128 KiB' => ["\u0001" * 131_071], 'one of characters of two bytes' => ['é' * 65_000], 'thousands of arguments' => (0..9999).map { |i| "\u0001 #{i}" },
  'long ones between short ones' => ['a ', 'b ' * 20_000, 'c ', 'd ' * 60_000, 'e '] }.each do |what, arguments|
  event = records("SYSCALL arch=c000003e syscall=59 success=yes exit=0 items=0 pid=1", *execve(arguments), 'CWD cwd="/"')
  parts = entries(event)
  is([parts.map { |e| JSON.generate(e).bytesize }.max < 250_000, parts.size > 1, parts == entries(event),
      parts.map { |e| e['id'] }.uniq.size == parts.size], [true, true, true, true], "#{what}: #{parts.size} entries, below 256 kB each, the same at each try")
  again = []
  parts.each do |e|
    (e['argv'] || []).each_with_index { |a, i| (again[i + e['argv_at'].to_i] ||= +''.b) << AuditText.original(a) }
  end
  is(again == arguments.map(&:b), true, '... with all of it')
  is(parts.map { |e| e['part'] }.then { |p| [p.first, p == p.sort] }, [0, true], '... and say which part each is')
end
is(entries(records(*execve(["x " * 10_000]))).map { |e| e.key?('part') }, [false], 'one of 20 kB is one entry')
is(entry("EXECVE argc=2 a0=\"a\" a1_len=20000 a1[0]=\"b\"")['argv_length'], { '1' => 20_000 }, 'an argument that is not whole says how long it was')

# --- containers ---
CONTAINER = '6f1ed002ab5595859014ebf0951522d9e6b1d0f5a6f1ed002ab5595859014ebf'.freeze
OWN = 0xC6f1ed00
def start(more = {})
  f = { pid: 50, auid: OWN, ses: 5, subj: 'unconfined', vm: "\"#{CONTAINER}\"", pod: '"web-0"', container: '"app"', exec: 'no', terminal: 'no', op: 'start', image: '"web:1"' }.merge(more)
  "VIRT_CONTROL pid=#{f[:pid]} uid=0 auid=#{f[:auid]} ses=#{f[:ses]} subj=#{f[:subj]} msg='op=#{f[:op]} virt=container vm=#{f[:vm]} pod=#{f[:pod]} " \
    "namespace=\"default\" uuid=\"11-22\" container=#{f[:container]} image=#{f[:image]} exec=#{f[:exec]} terminal=#{f[:terminal]} login=set res=success'"
end
def call(auid, ses, pid = 60) = "SYSCALL arch=c000003e syscall=59 success=yes exit=0 items=0 pid=#{pid} auid=#{auid} uid=0 ses=#{ses}"
NAMED = { 'id' => CONTAINER, 'name' => 'app', 'pod' => 'web-0', 'namespace' => 'default', 'pod_uid' => '11-22' }.freeze
Log = Struct.new(:lines) { def warn(text, **_more) = lines << text }

Dir.mktmpdir do |dir|
  file = "#{dir}/sessions.jsonl"
  fresh = -> { AuditSessions.new(file, Log.new([])) }
  sessions = fresh.call
  named = ->(text, of = sessions, id = ID) { entry(text).merge('event' => id).tap { |e| of.name(e) }.values_at('class', 'container') }

  is(named.(call(1000, 1)), [nil, nil], 'a session of the host has no class')
  is(named.(call(4_294_967_295, 4_294_967_295)), [nil, nil], '... nor has one without a login uid')
  is(named.(start), ['container', NAMED.merge('image' => 'web:1', 'source' => 'start')], 'a start record names the container')
  is(named.(call(OWN, 5)), ['container', NAMED.merge('source' => 'start')], '... and so is what comes after it')
  is(named.(start(ses: 6, auid: OWN + 0x10000000, exec: 'yes', pod: '?', container: '?', pid: 51)),
     ['exec', NAMED.merge('image' => 'web:1', 'source' => 'start')], 'an exec session has the names of its container')
  is([start, start(ses: 6, auid: OWN + 0x10000000, exec: 'yes', pod: '?', container: '?', pid: 51)].map { |text| named.(text)[1]['source'] },
     %w[start start], '... and both are the same when they are read again')
  is([{ pid: 53 }, { pod: '"web-1"' }, { image: '"other:1"' }].map { |other| named.(start(other))[1]['source'] }, %w[claimed] * 3,
     '... but not with another process, name or image')
  is(named.(start(ses: 7, auid: OWN + 0x20000000, exec: 'yes', terminal: 'yes', pid: 52))[0], 'terminal', 'one with a terminal is a class of its own')
  is(named.(call(OWN + 0x10000000, 6)), ['exec', NAMED.merge('source' => 'start')], '... and what it does')
  is(named.(call(OWN + 0x10000000, 8)), ['exec', { 'id' => '6f1ed00', 'source' => 'auid' }], 'a session without a start record has the digits of its login uid')
  # Forged ones.
  claimed = ->(text) { named.(text)[1]['source'] }
  is(claimed.(start(ses: 8, auid: OWN + 0x10000000, exec: 'yes', pid: 99)), 'claimed', 'a start record after others of the session is no proof')
  is(claimed.(start(container: '"other"')), 'claimed', '... nor is a second one')
  is(claimed.(start(ses: 9, subj: 'cri-containerd.apparmor.d (enforce)')), 'claimed', '... nor one from inside of a container')
  is(claimed.(start(ses: 10, auid: OWN + 0x100)), 'claimed', '... nor one about another container than the login uid says')
  is(claimed.(start(ses: 11, auid: 1000)), 'claimed', '... nor one of the host')
  is(named.(call(OWN, 5)), ['container', NAMED.merge('source' => 'start')], '... and none changes what is known')
  sessions.save
  is(named.(call(OWN, 5), fresh.call), ['container', NAMED.merge('source' => 'start')], 'started again, the container still has its name')
  is(named.(call(OWN, 8), fresh.call)[1]['source'], 'auid', '... and a session without a start record still has none')
  File.open(file, 'ab') { |f| f.write('{"ses":12,"id":"6f1') }
  after = fresh.call
  named.(start(ses: 13), after)
  after.save
  is(named.(call(OWN, 13), fresh.call)[1]['source'], 'start', 'a file that ends in the middle of a line is read, and gone on with')
  is(named.(call(OWN, 5), after, ID.tr('0', '1')), ['container', { 'id' => '6f1ed00', 'source' => 'auid' }], 'after a boot sessions are others')

  named.(start, sessions)
  (100..12_000).each { |ses| named.(start(ses: ses, auid: OWN + 0x10000000, exec: 'yes', pid: ses)) && (ses % 100 || sessions.save) }
  sessions.save
  sessions.save
  is([named.(call(OWN, 5))[1]['pod'], File.size(file) < 2_000_000, named.(call(OWN + 0x10000000, 12_000))[1]['pod']], ['web-0', true, 'web-0'],
     'thousands of probes neither push the container out nor make the file grow')
  others = (20_000..22_000).each_slice(500).map do |slice|
    slice.each { |ses| named.(start(ses: ses, pid: ses, vm: format('"%064x"', ses), auid: 0xC0000000)) }
    named.(call(OWN, 5))[1]['pod']
  end
  is([others, named.(call(0xC0000000, 20_000))[1]['source'], named.(call(0xC0000000, 22_000))[1]['source']], [['web-0'] * 5, 'auid', 'start'],
     'of thousands of containers that came after it, none pushes out one that is active')
  is(claimed.(start(ses: 100, auid: OWN + 0x10000000, exec: 'yes', pid: 99)), 'claimed', 'in a session that is forgotten nothing starts any more')
  is(named.(start(ses: 101, auid: OWN + 0x10000000, exec: 'yes', pid: 99), fresh.call)[1]['source'], 'claimed', '... nor after a restart')
end
is(AuditSessions.digits('my-container'), Digest::SHA256.hexdigest('my-container')[0, 7], 'an id that is not hexadecimal counts by its SHA-256')

# --- without start records ---
Dir.mktmpdir do |dir|
  put = ->(name, text) { FileUtils.mkdir_p(File.dirname("#{dir}/#{name}")) && File.write("#{dir}/#{name}", text) }
  put.call('proc/sys/kernel/random/boot_id', "01234567-89ab-cdef-0123-456789abcdef\n")
  put.call('proc/stat', "cpu 1\nbtime 1000\n")
  FileUtils.mkdir_p("#{dir}/proc/self/ns")
  File.symlink('pid:[4026531836]', "#{dir}/proc/self/ns/pid")
  put.call('proc/60/stat', "60 (a) b) S #{(['0'] * 18).join(' ')} 500 0")
  put.call('proc/60/cgroup', "0::/../../kubepods-pod0f5a1ac2_5b3e_4c39_9e0c_5a4e2d0b8a11.slice/cri-containerd-#{CONTAINER}.scope\n")
  put.call('proc/61/stat', "61 (a) S #{(['0'] * 18).join(' ')} 500 0")
  put.call('proc/61/cgroup', "0::/system.slice/sshd.service\n")
  put.call("logs/web-0_default_app-#{CONTAINER}.log", '')
  proc = AuditProc.new("#{dir}/logs", dir)
  is(proc.container(ID, 60, 1010), { 'id' => CONTAINER, 'pod' => 'web-0', 'namespace' => 'default', 'name' => 'app',
                                     'pod_uid' => '0f5a1ac2-5b3e-4c39-9e0c-5a4e2d0b8a11', 'source' => 'proc' },
     'without identity a process that still runs is in the container of its cgroup, with the names of the kubelet')
  is([proc.container(ID, 61, 1010), proc.container(ID, 62, 1010)], [nil, nil], '... one of the host, or that has ended, in none')
  is(proc.container(ID, 60, 1003), nil, '... nor is one that started after the event')
  is(proc.container(ID.tr('0', '1'), 60, 1010), nil, '... nor is one of another boot')
  is(AuditProc.new('/nowhere', dir).container(ID, 60, 1010)&.keys, %w[id pod_uid source], '... without the links it has no names')
  early = CONTAINER.reverse
  put.call('proc/65/stat', File.read("#{dir}/proc/60/stat"))
  put.call('proc/65/cgroup', "0::/cri-containerd-#{early}.scope\n")
  later = 0
  proc.define_singleton_method(:clock) { super() + later }
  names = [proc.container(ID, 65, 1010)['name']]
  put.call("logs/early_default_app-#{early}.log", '')
  names += [0, 1.1, 0].map { |passes| proc.container(ID, 65, 1010 + (later += passes))['name'] }
  is(names, [nil, nil, 'app', 'app'], '... one whose link comes after its first event has its names a second later')
  put.call('proc/63/stat', "63 (\xff) S #{(['0'] * 18).join(' ')} 500 0".b)
  put.call('proc/63/cgroup', "0::/\xff/cri-containerd-#{CONTAINER}.scope\n".b)
  is(proc.container(ID, 63, 1010)&.fetch('id'), CONTAINER, '... one whose name is no text is in its, too')
  put.call('proc/64/stat', '64 (a')
  put.call('proc/64/cgroup', "0::/cri-containerd-#{CONTAINER}.scope\n")
  is(proc.container(ID, 64, 1010), nil, '... of what is no stat of a process nothing is told')
  File.delete("#{dir}/proc/self/ns/pid")
  File.symlink('pid:[4026532000]', "#{dir}/proc/self/ns/pid")
  is(AuditProc.new("#{dir}/logs", dir).container(ID, 60, 1010), nil, '... and from another PID namespace nothing is told')
end

puts "1..#{$n}"
