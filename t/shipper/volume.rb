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
is([first.size, kept(v, *network) == first, left_out], [100, true, 1800], 'a sample: one in ten, the same ones at each try')
is(kept(v, *(1..20).map { |i| [1, entry(i)] }).size, 20, '... of other keys all')
is(kept(v, *(1..20).map { |i| [1, entry(i).except('key').merge('keys' => %w[network own])] }).size, 20, '... of several keys, too')

web = { 'container' => { 'id' => 'web' }, 'class' => 'container', 'host' => 'node-1' }
v = filter({ 'limit' => 5 })
before = left_out
is([kept(v, *(1..20).map { |i| [i, entry(i, web)] }).size, left_out - before], [5, 15], 'a limit for a container: so many a minute')
is(kept(v, [30, entry(30, 'container' => { 'id' => 'db' })]).size, 1, '... for each by itself')
is(kept(v, *(40..59).map { |i| [40, entry(i)] }).size, 20, '... none for the host')
told, *rest = kept(v, [70, entry(70, web)])
is([told, rest.size], [{ 'format' => 1, 'type' => ['LEFT_OUT'], 'left_out' => 15, 'severity' => 'NOTICE', 'id' => "#{BOOT}-6-LEFT_OUT",
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

puts "1..#{$n}"
