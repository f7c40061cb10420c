# fluentd's filter of what to leave out: a sample, a limit for each container. TAP. The same cases as volume.lua's.
require_relative 'fluent'
require_relative 'tap'

BOOT = 'ab' * 16
def entry(serial, more = {}) = { 'event' => "#{BOOT}-#{serial}", 'type' => ['SYSCALL'], 'exe' => '/bin/sh', 'key' => 'exec' }.merge(more)
def filter(params)
  Fluent::Plugin::LinuxAuditVolumeFilter.new.tap { |f| f.configure(params) }
end
# What goes on of pairs of seconds and entry.
def kept(filter, *pairs)
  stream = Fluent::MultiEventStream.new
  pairs.each { |sec, e| stream.add(Fluent::EventTime.new(sec, 0), e) }
  filter.filter_stream('t', stream).entries.map(&:last)
end
def left_out = Prometheus::Client.registry.get(:linux_audit_left_out_total).value

v = filter({})
is([kept(v, *(1..50).map { |i| [i, entry(i, 'container' => { 'id' => 'web' })] }).size, left_out], [50, 0], 'without a parameter nothing is left out')
is((filter({ 'sample' => 0 }) rescue $!.class), Fluent::ConfigError, 'a sample of none is refused')

v = filter({ 'sample_key' => 'network', 'sample' => 10 })
network = (1..1000).map { |i| [1, entry(i, 'key' => 'network')] }
first = kept(v, *network)
is([first.size, left_out], [100, 900], 'a sample: one in ten')
is(kept(filter({ 'sample_key' => 'network', 'sample' => 10 }), *network) == first, true, '... the same ones at each try')
is(kept(v, *(1..20).map { |i| [1, entry(i)] }).size, 20, '... of other keys all')
is(kept(v, *(1..20).map { |i| [1, entry(i).except('key').merge('keys' => %w[network own])] }).size, 20, '... of several keys, too')

web = { 'container' => { 'id' => 'web' }, 'class' => 'container', 'host' => 'node-1' }
v = filter({ 'limit' => 5 })
before = left_out
is([kept(v, *(1..20).map { |i| [i, entry(i, web)] }).size, left_out - before], [5, 15], 'a limit for a container: so many a minute')
is(kept(v, [30, entry(30, 'container' => { 'id' => 'db' })]).size, 1, '... for each by itself')
is(kept(v, *(40..59).map { |i| [40, entry(i)] }).size, 20, '... none for the host')
told, *rest = kept(v, [70, entry(70, web)])
is([told, rest.size], [{ 'format' => 1, 'type' => ['LEFT_OUT'], 'left_out' => 15, 'severity' => 'NOTICE', 'id' => "#{BOOT}-6-LEFT_OUT-15",
                         'event' => "#{BOOT}-6" }.merge(web), 1], 'the next minute tells how many were left out, and of which container')
kept(v, *(71..90).map { |i| [71, entry(i, web)] })
is(kept(v, [100, entry(100)]).size, 1, 'before it is over, a minute is not told')
is(kept(v, [140, entry(101)]).map { |e| e['left_out'] }, [16, nil], '... afterwards it is, also when nothing of the container comes any more')
is(kept(v, [300, entry(102)]).map { |e| e['left_out'] }, [nil], '... once')

v = filter({ 'limit' => 5 })
kept(v, *(1..20).map { |i| [7200, entry(i, web)] })
is(kept(v, [3600, entry(30, web)]).last['left_out'], nil, 'the clock is set back: a minute of its own begins')

v = filter({ 'limit' => 5 })
claimed = ->(id) { { 'container' => { 'id' => id, 'source' => 'claimed' } } }
kept(v, *(1..20).map { |i| [1, entry(i, claimed.('web'))] })
is(kept(v, [2, entry(30, web)]).size, 1, 'what is claimed about a container does not use up its limit')
is(kept(v, *(1..100).map { |i| [3, entry(i, claimed.("c#{i}"))] }).size, 0, '... and all that is claimed has one limit together')

# The input emits what the buffer refuses again, once a second.
v = filter({ 'limit' => 5 })
before = left_out
batch = (1..8).map { |i| [1, entry(i, web)] }
tries = Array.new(9) { kept(v, *batch) }
is([tries.uniq, left_out - before], [[batch.first(5).map(&:last)], 3], 'a batch that the buffer refuses is not counted again at each try')
batch = [[100, entry(100, web)]]
tries = Array.new(3) { kept(v, *batch) }
is([tries.uniq.size, tries[0].map { |e| e['left_out'] }], [1, [3, nil]], '... and what tells of a minute comes again with it')
parts = ->(part) { [[200, entry(7, web.merge('part' => part))]] }
is([kept(v, *parts.(0)), kept(v, *parts.(4))].map { |of| of.map { |e| e['part'] } }, [[0], [4]], '... another part of the same event is another batch')
is(Array.new(6) { kept(v, [200, entry(1, web).except('event')]).size }, [1, 1, 1, 0, 0, 0], '... and where no event is named every one is another')
is(kept(filter({ 'sample_key' => 'exec', 'sample' => 2 }), [1, entry(1).except('event')]).size, 1, 'an entry without an event stops nothing')

v = filter({ 'limit' => 5 })
looks = 0
v.instance_variable_get(:@windows).define_singleton_method(:select) { |&block| (looks += 1) && super(&block) }
kept(v, *(0..999).map { |i| [1000 + (i % 2), entry(i, web)] })
is(looks, 2, 'minutes that are over are looked for once a second, not for each entry')

# The examples of filter.conf as they stand there, with the comment taken off, on entries. grep and record_transformer are fluentd's own:
# here as its documentation has them (several <exclude>: any; in <and>: all; no such field: an empty text).
def section(lines)
  found = Hash.new { |all, name| all[name] = [] }
  while (line = lines.shift) && !line.start_with?('</')
    name, value = line.split(' ', 2)
    found[name] << (name.start_with?('<') ? section(lines) : value)
  end
  found
end
examples = File.read("#{FLUENTD}/filter.conf").scan(/^#<filter linux-auditd>\n(.*?)^#<\/filter>/m).map { |(text)| section(text.lines(chomp: true).map { |l| l.delete_prefix('#').strip }) }
excluded = lambda do |of, e|
  of['<exclude>'].any? { |x| e[x['key'][0]].to_s.match?(Regexp.new(x['pattern'][0][1..-2])) } ||
    of['<and>'].any? { |all| all['<exclude>'].all? { |x| e[x['key'][0]].to_s.match?(Regexp.new(x['pattern'][0][1..-2])) } }
end
some = { plain: {}, network: { 'key' => 'network' }, networks: { 'key' => 'network-own' }, both: { 'keys' => %w[exec network] }, inside: { 'class' => 'container' },
         terminal: { 'class' => 'terminal' }, kubelet: { 'exe' => '/usr/bin/kubelet' }, opened: { 'exe' => '/usr/bin/kubelet', 'key' => 'tmp' },
         other: { 'exe' => '/opt/usr/bin/kubelet' } }.to_h { |name, more| [name, entry(10, more)] }
left = examples.select { |of| of['@type'] == ['grep'] }.map { |of| some.select { |_, e| excluded.(of, e) }.keys }
is(left, [[:network], [:inside], [:kubelet]], 'the examples of filter.conf leave out by key, by class, by program and key, what they say, and nothing else')
volume = examples.select { |of| of['@type'] == ['linux_audit_volume'] }.map { |of| filter(of.except('@type').to_h { |name, (value)| [name, value.match?(/\A\d+\z/) ? value.to_i : value] }) }
is(volume.size, 2, '... two are of this filter')
is(kept(volume[0], *(1..200).map { |i| [1, entry(i, 'key' => 'network')] }).size, 20, '... one a sample')
is(kept(volume[1], *(1..700).map { |i| [1, entry(i, web)] }).size, 600, '... one a limit')
removed = examples.filter_map { |of| of['remove_keys'][0] }.flat_map { |names| names.split(',') }
made = AuditEntry.all("#{BOOT}-1", [['SYSCALL', 'arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=1 pid=1 uid=0'],
                                    ['PATH', 'item=0 name="/bin/x" nametype=NORMAL']], 0, true).first
is(removed - made.keys, [], '... one takes off fields that entries have')

puts "1..#{$n}"
