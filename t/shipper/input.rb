# fluentd's input on a journal in memory: what is sent when it is killed at each of its steps, when the journal has lost
# what it had read, when the buffer takes nothing. TAP.
require 'fileutils'
require 'json'
require 'tmpdir'
require_relative 'fluent'
require_relative 'tap'
require_relative 'restore'

Killed = Class.new(Exception)
# As fluentd sets it.
File.umask(0)
BOOT = '0123456789abcdef' * 2
$time = 1_700_000_000_000_000

def record(id, text, boot = BOOT)
  { 'MESSAGE' => text, '_BOOT_ID' => boot, '_AUDIT_ID' => id.to_s, '_SOURCE_REALTIME_TIMESTAMP' => ($time + id * 1000).to_s }
end

def syscall(id, items) = "SYSCALL arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=#{items} ppid=1 " \
                         "pid=#{id} auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=2 " \
                         'comm="true" exe="/bin/true" subj=unconfined key="exec"'
def path(item, id) = "PATH item=#{item} name=\"/bin/#{id}\" inode=7 dev=fe:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 " \
                     'nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0'

# An exec of six records.
def exec(id) = [syscall(id, 2), "EXECVE argc=2 a0=\"true\" a1=\"#{id}\"", 'CWD cwd="/"', path(0, id), path(1, id), 'PROCTITLE proctitle="true"'].map { |t| record(id, t) }
def login(id) = [record(id, "USER_LOGIN pid=#{id} uid=0 auid=1000 ses=3 subj=unconfined msg='op=login id=1000 res=success'")]

# Events whose records come mixed, each in its order: as many as are open at once.
def mixed(events, open, random)
  waiting = events.map(&:dup)
  now = waiting.shift(open)
  all = []
  until now.empty?
    event = now.sample(random: random)
    all << event.shift
    next unless event.empty?

    now.delete_if(&:empty?)
    now.concat(waiting.shift(1))
  end
  all
end

$runs = []
# A run of the input on the journal until it has nothing to read, or until it is killed: at its step number `kill`, which
# is before or after the buffer takes entries, or the cursor is saved.
class Run
  # lags: what the gauge was at each look for records. passed: seconds.
  attr_reader :sent, :steps, :log, :lags, :passed

  class << self
    attr_accessor :now
  end

  def initialize(dir, kill: nil, batch: 7, later: 0, slow: 0, &take)
    Run.now = self
    @sent = []
    @when = []
    @lags = []
    @steps = 0
    @passed = 0
    @slow = slow
    @kill = kill
    @take = take
    @input = Fluent::Plugin::LinuxAuditInput.new
    @input.configure('tag' => 't', 'state_path' => dir, 'batch' => batch, 'interval' => 0, 'retry_interval' => 0)
    @input.router = self
    watch
    @idle = 0
    @later = later
    @input.running = -> { @idle < 2 }
    @input.start
    begin
      @input.go
    rescue Killed
      @killed = true
    end
    @log = @input.log.lines
  end

  def emit_stream(_tag, stream)
    point
    @take&.call
    @sent.concat(stream.entries.map(&:last))
    @when.concat([@passed] * stream.entries.size)
    point
  end

  # What was sent, but for the last seconds.
  def sent_before(seconds) = @sent.zip(@when).filter_map { |entry, at| entry if at <= @passed - seconds }

  # How often in a row nothing was new. With the first time the time goes on by `later`, with each look at it by `slow`.
  def looked(count)
    @lags << Prometheus::Client.registry.get(:linux_audit_lag_seconds).value
    @idle = count.zero? ? @idle + 1 : 0
  end

  def point
    @steps += 1
    raise Killed if @steps == @kill

    true
  end

  def watch
    run = self
    later = -> { (@idle.positive? ? @later : 0) + (@passed += @slow) }
    @input.define_singleton_method(:save) do |*cut|
      run.point
      super(*cut)
      run.point
    end
    @input.define_singleton_method(:read_batch) { super().tap { |count, _| run.looked(count) } }
    @input.define_singleton_method(:clock) { super() + later.call }
    @input.define_singleton_method(:sleep) { |_| nil }
  end
end

# Of the node, of which a run is in the same.
AuditState.singleton_class.prepend(Module.new { attr_accessor :boot })
AuditState.boot = 'one'
# Between what is known of sessions and the cursor.
AuditState.prepend(Module.new { def save(...) = Run.now.point && super })

def journal(entries, first = 1)
  Systemd::Journal.entries = entries
  Systemd::Journal.first = first
end

def fresh = Dir.mktmpdir { |dir| yield dir }

# The events' texts, as they were written.
def written(entries)
  entries.group_by { |r| "#{r['_BOOT_ID']}-#{r['_AUDIT_ID']}" }.transform_values { |rs| rs.map { |r| r['MESSAGE'].split(' ', 2) } }
end

def restored(sent)
  sent.to_h { |e| [e['event'], Restore.new(JSON.parse(JSON.generate(e))).records] }
end

random = Random.new(4)
events = (1..25).map { |id| (id % 7).zero? ? login(id) : exec(id) }
all = mixed(events, 5, random)
want = written(all)

fresh do |dir|
  journal(all)
  run = Run.new(dir)
  is(restored(run.sent), want, 'events whose records come mixed: one entry each, with all of it')
  is([run.sent.size, run.sent.map { |e| e['id'] }.uniq.size, run.sent.count { |e| e['part'] }], [25, 25, 0], '... whole, once')
  is(Run.new(dir).sent, [], 'started again, it sends nothing again')
  is(Dir.children(dir).sort.map { |f| [f, (File.stat("#{dir}/#{f}").mode & 0o777).to_s(8)] }, [['cursor.json', '600'], ['cursor.json.earlier', '600'], ['sessions.jsonl', '600']],
     'what it keeps nobody else writes, whatever the umask')
  all << record(99, syscall(99, 0)) << record(100, 'CONFIG_CHANGE op=set audit_enabled=1 old=1 auid=0 ses=1 subj=unconfined res=1')
  is(Run.new(dir).sent, [], 'an event without an end is held')
  is(Run.new(dir, later: 1.1).sent.map { |e| e['event'][/\d+\z/] }, %w[99 100], '... until a second has passed, also after a restart')
  is(Run.new(dir).sent, [], '... and sent once')
end

# Killed at each step, and started again: all come, none is incomplete, twice at most what was in a batch.
all = mixed(events, 5, Random.new(5))
want = written(all)
steps = nil
journal(all)
fresh { |dir| steps = Run.new(dir).steps }
wrong = []
twice = 0
(1..steps).each do |kill|
  fresh do |dir|
    sent = Run.new(dir, kill: kill).sent + Run.new(dir).sent
    wrong << kill unless restored(sent) == want && sent.none? { |e| e['part'] } && sent.group_by { |e| e['id'] }.all? { |_, same| same.uniq.size == 1 }
    twice = [twice, sent.size - sent.uniq.size].max
  end
end
is([steps > 20, wrong], [true, []], "killed at any of #{steps} steps, all events come, whole, and the same when they come again")
is([twice.positive?, twice <= 7], [true, true], "... twice at most those of a batch (#{twice})")
wrong = (1..steps).step(17).flat_map do |first|
  (1..steps).step(11).reject do |second|
    fresh do |dir|
      sent = Run.new(dir, kill: first).sent + Run.new(dir, kill: second).sent + Run.new(dir).sent
      restored(sent) == want && sent.none? { |e| e['part'] }
    end
  end
end
is(wrong, [], '... killed twice, too')

# The same journal makes the same entries, at whatever speed and in whatever batches it is read: a part that comes under an
# insertId that is taken would be dropped.
mixed(events, 5, Random.new(6)).each_with_index.map { |r, i| r.merge('_SOURCE_REALTIME_TIMESTAMP' => ($time + r['_AUDIT_ID'].to_i * 900_000).to_s) }
                               .then { |far| journal(far) }
entries = [[1, 0], [7, 0], [1000, 0], [7, 2.0]].map { |batch, slow| fresh { |dir| Run.new(dir, batch: batch, slow: slow, later: 4.1).sent } }
is(entries.first.count { |e| e['part'] }.positive?, true, 'events far apart are cut by the time of the journal')
is(entries.map { |sent| sent.sort_by { |e| e['id'] } == entries.first.sort_by { |e| e['id'] } }, [true] * 4, '... at the same records whatever the batches, and however slow')

# Killed at each step, what comes is what comes without: the same entries, by content and id.
def start(ses, pid)
  id = format('%07x', ses) * 9
  "VIRT_CONTROL pid=#{pid} uid=0 auid=#{0xC0000000 | ses} ses=#{ses} subj=unconfined msg='op=start virt=container vm=\"#{id}\" pod=\"web-#{ses}\" " \
    "namespace=\"shop\" uuid=\"1\" container=\"web\" image=\"w\" exec=no terminal=no login=set res=success'"
end

def inside(id, ses, pid) = exec(id).each { |r| r['MESSAGE'] = r['MESSAGE'].sub('auid=1000', "auid=#{0xC0000000 | ses}").sub('ses=2', "ses=#{ses}").sub("pid=#{id}", "pid=#{pid}") }
def shifted(entries, by) = entries.map { |r| r.merge('_SOURCE_REALTIME_TIMESTAMP' => (r['_SOURCE_REALTIME_TIMESTAMP'].to_i + by).to_s) }

random = Random.new(8)
plain = (1..13).map { |id| exec(id) }
mix = ->(all = plain) { mixed(all, 5, random) }
# In a session's own order: what its first process does before it says that it starts a container, the start, what follows.
sessions = [3, 4, 5].each_with_index.map { |ses, i| [inside(10 * i + 1, ses, ses + 900), [record(10 * i + 2, start(ses, ses + 900))], *(3..7).map { |k| inside(10 * i + k, ses, 60) }] }
far = mix.call.map { |r| shifted([r], r['_AUDIT_ID'].to_i * 900_000).first }
{ 'files of two sequences' => mix.call.each_with_index.map { |r, i| i < 30 ? r : r.merge('__FILE' => 'e') },
  'containers that start' => mixed(sessions.map(&:flatten), 3, random), 'events that are cut by their time' => far,
  'some with a record missing' => mix.call(plain.map { |e| e[0]['_AUDIT_ID'].to_i % 3 == 1 ? e[0..3] : e }) + shifted(mix.call(plain), 9_000_000).each { |r| r['_AUDIT_ID'] += '00' },
  'titles, of some' => mix.call(plain.map { |e| (e[0]['_AUDIT_ID'].to_i % 4).zero? ? e[0..4] : e }),
  'another boot' => mixed(sessions.map(&:flatten), 3, random).then { |all| all + all.map { |r| r.merge('_BOOT_ID' => BOOT.reverse) } },
  'another boot, in files of its own, the clock set back before it' => mixed(sessions.map(&:flatten), 3, random).then do |all|
    all + all.map { |r| r.merge('_BOOT_ID' => BOOT.reverse, '__FILE' => 'e', '__BACK' => 4000) }
  end,
  'the clock set back by two seconds' => mix.call(plain[0, 6]) + shifted(mix.call(plain[6..]), -2_000_000),
  'the clock set back by an hour' => mix.call(plain[0, 6]) + shifted(mix.call(plain[6..]), -3_600_000_000) }.each do |what, all|
  sent = ->(*kills) { fresh { |dir| (kills + [nil]).flat_map { |kill| Run.new(dir, kill: kill, later: 4.1).sent } } }
  journal(all)
  steps = fresh { |dir| Run.new(dir, later: 4.1).steps }
  want = sent.call.sort_by { |e| e['id'] }
  kills = (1..steps).map { |k| [k] } + (1..steps).step(17).map { |k| [k, steps - k] }
  different = kills.reject { |kill| sent.call(*kill).uniq.sort_by { |e| e['id'] } == want }
  is([want.map { |e| e['id'] }.uniq.size == want.size, different.first(9)], [true, []], "killed at any step, once or twice: the same entries (#{what})")
  # But for the names of containers, whose start records are gone.
  of = ->(entries, began) { entries.filter_map { |e| e.except('container') if began.include?(e['event']) }.sort_by { |e| e['id'] } }
  all = all.each_with_index.map { |r, i| r.merge('__CAME' => Systemd::Journal.came(i).to_s) }
  different = (1...all.size).step(3).reject do |from|
    began = all[from..].map { |r| "#{r['_BOOT_ID']}-#{r['_AUDIT_ID']}" } - all[0...from].map { |r| "#{r['_BOOT_ID']}-#{r['_AUDIT_ID']}" }
    journal(all[from..], from + 1)
    of.call(sent.call, began) == of.call(want, began)
  end
  is(different.first(9), [], "... and begun anywhere, with nothing known, of what began later (#{what})")
end

# The node loses its power: what was sent in the last minute is on no disk, nor are the last records of the journal, of which
# those of the next boot have the numbers.
all = mix.call((1..25).map { |id| exec(id) })
booted = (1..4).flat_map { |id| exec(id) }.each { |r| r['_BOOT_ID'] = BOOT.reverse }
journal(all.dup)
steps = fresh { |dir| Run.new(dir, slow: 2).steps }
again = []
wrong = (1..steps).reject do |kill|
  fresh do |dir|
    AuditState.boot = 'one'
    journal(all.dup)
    before = Run.new(dir, slow: 2, kill: kill)
    cursor = File.exist?("#{dir}/cursor.json") ? JSON.parse(File.read("#{dir}/cursor.json"))['read'] : ''
    kept = all[0, [cursor.to_s[/i=(\h+)/, 1].to_s.to_i(16) - 10, 0].max]
    # Where it cannot be renamed safely, the newest is empty.
    File.write("#{dir}/cursor.json", '') if (kill % 5).zero? && !cursor.to_s.empty?
    AuditState.boot = 'two'
    journal(kept + booted)
    sent = before.sent_before(60) + Run.new(dir, later: 4.1).sent
    again << sent.size - sent.uniq.size
    sent.uniq!
    texts = sent.sort_by { |e| e['part'].to_i }.group_by { |e| e['event'] }.transform_values { |es| es.flat_map { |e| Restore.new(JSON.parse(JSON.generate(e))).records } }
    sent.map { |e| e['id'] }.uniq.size == sent.size && texts == written(kept + booted)
  end
end
AuditState.boot = 'one'
is([steps > 20, wrong], [true, []], "the power is lost at any of #{steps} steps: what was not yet on the disk comes again, and of the next boot all")
is([again.max.positive?, again.max < 20], [true, true], '... and not all of what is')

# Killed when an event has ended because nothing came, and what comes then is of it.
all = exec(1) + exec(2)[0..1] + exec(3)[0..3]
more = exec(4) + exec(2)[2..] + exec(3)[4..] + exec(5)
journal(all.dup)
steps = fresh { |dir| Run.new(dir, later: 4.1).steps }
wrong = (1..steps).reject do |kill|
  fresh do |dir|
    journal(all.dup)
    sent = Run.new(dir, kill: kill, later: 4.1).sent
    Systemd::Journal.entries += more
    sent = (sent + Run.new(dir, later: 4.1).sent).uniq
    texts = sent.sort_by { |e| e['part'].to_i }.group_by { |e| e['event'] }.transform_values { |es| es.flat_map { |e| Restore.new(JSON.parse(JSON.generate(e))).records } }
    sent.map { |e| e['id'] }.uniq.size == sent.size && texts == written(all + more)
  end
end
is(wrong, [], "killed at any of #{steps} steps while nothing comes: what comes later has an insertId of its own, nothing is missing")

# The same, and the power is lost later, and what was read in the last minute is read again.
late = more.map { |r| r.merge('__CAME' => ($time + 9_000_000).to_s) }
sent = fresh do |dir|
  journal(all.dup)
  first = Run.new(dir, later: 4.1).sent
  Systemd::Journal.entries += late
  first += Run.new(dir, later: 4.1).sent
  AuditState.boot = 'two'
  [first, Run.new(dir, later: 4.1).sent]
end
AuditState.boot = 'one'
is(sent.map { |of| of.sort_by { |e| e['id'] } }.uniq.map { |of| of.count { |e| e['part'] } }, [3], 'what had ended because nothing came ends there, too, when it is read again after the power was lost')

# The clock is set back by less than what tells that it was: events stay whole.
[1, 3, 4.9].each do |seconds|
  fresh do |dir|
    journal(mix.call(plain[0, 6]) + shifted(mix.call(plain[6..]), (-seconds * 1_000_000).to_i))
    is(Run.new(dir).sent.count { |e| e['part'] }, 0, "the clock is set back by #{seconds} s: events stay whole")
  end
end
# Parts.
fresh do |dir|
  journal(exec(1)[0..3] + login(2))
  is(Run.new(dir, later: 3.9).sent.map { |e| e['event'][/\d+\z/] }, %w[2], 'an event to which a PATH record is missing is held longer')
  first = Run.new(dir, later: 4.1).sent
  is(first.map { |e| e.values_at('part', 'items', 'type', 'id') }, [[0, 2, %w[SYSCALL EXECVE CWD PATH], "#{BOOT}-1-0"]],
     '... then it comes without, says so, and how many there should be')
  Systemd::Journal.entries << exec(1)[4] << record(3, 'PROCTITLE proctitle="x"')
  late = Run.new(dir, later: 1.1).sent.find { |e| e["event"] == "#{BOOT}-1" }
  is(late.values_at('event', 'part', 'type', 'id', 'paths'), ["#{BOOT}-1", 4, %w[PATH], "#{BOOT}-1-4",
                                                             [{ 'item' => 1, 'name' => '/bin/1', 'inode' => 7, 'dev' => 'fe:01' }]],
     '... and what is late is a part, that goes on counting, also after a restart')
end
fresh do |dir|
  titled = (1..9).map { |id| exec(id) }
  # What has a title ends with it, what has none with its time.
  titled[4].pop
  journal(titled.flatten(1))
  parts = Run.new(dir, batch: 3, later: 1.1).sent
  is([restored(parts), parts.map { |e| e['event'][/\d+\z/].to_i }, parts.count { |e| e['part'] }], [written(titled.flatten(1)), [1, 2, 3, 4, 6, 7, 8, 9, 5], 0],
     'an event waits for its PROCTITLE record, and without one comes when its time is over')
end

# A process that has ended when its event does.
AuditProc.prepend(Module.new { def container(_event, pid, _time) = $runs.include?(pid.to_i) ? { 'id' => 'c', 'source' => 'proc' } : nil })
fresh do |dir|
  journal(exec(1)[0..4] + exec(2))
  $runs = [1, 2]
  sent = Run.new(dir, later: 1.1) { $runs = [] }.sent
  is(sent.to_h { |e| [e['event'][/\d+\z/], e.dig('container', 'source')] }, { '1' => 'proc', '2' => 'proc' },
     'which container a process is in is asked when its event begins, not when it ends')
end
$runs = []

# The buffer takes nothing for a time.
fresh do |dir|
  journal(exec(1) + exec(2) + exec(3) + exec(4))
  refused = 0
  run = Run.new(dir) { raise Errno::ENOSPC if (refused += 1) < 4 }
  is(run.sent.map { |e| e['id'] }.uniq.size, 4, 'a buffer that refuses at first gets all later')
  is(run.log.count { |l| l.include?('ENOSPC') }, 3, '... and each refusal is said')
end
fresh do |dir|
  run = Run.new(dir, kill: 6) { raise Errno::ENOSPC }
  is([run.sent, JSON.parse(File.read("#{dir}/cursor.json"))["cursor"]], [[], ""], '... while it refuses the cursor stays')
end
fresh do |dir|
  of = -> { Prometheus::Client.registry.get(:linux_audit_entries_total)&.of.to_h }
  before = of.call.dup
  journal(exec(1) + exec(2))
  Run.new(dir, kill: 6) { raise Errno::ENOSPC }
  is([of.call.key?({ key: '', class: '' }), of.call == before], [true, true], '... nothing is counted, in a series that is there from the start')
  Run.new(dir)
  is(of.call[{ key: 'exec', class: '' }].to_i - before[{ key: 'exec', class: '' }].to_i, 2, '... and what it takes is')
end

fresh do |dir|
  value = ->(name) { Prometheus::Client.registry.get(:"linux_audit_#{name}").value }
  counted = %i[records_total record_bytes_total events_total parts_total]
  before = counted.map(&value)
  all = exec(1)[0..3] + exec(2)
  ago = (Time.now.to_f - 7200) * 1_000_000
  journal(all.map { |r| r.merge('_SOURCE_REALTIME_TIMESTAMP' => (ago + r['_AUDIT_ID'].to_i * 1_000_000).to_i.to_s) })
  Run.new(dir)
  is([value.call(:held), counted.map(&value)[2] - before[2]], [1, 1], 'how many events are held is told')
  is(value.call(:lag_seconds).between?(7197, 7210), true, '... and how old what was sent last is, as long as one is')
  run = Run.new(dir, later: 4.1)
  is(counted.map(&value).zip(before).map { |now, was| now - was }, [20, 2 * all.sum { |r| r['MESSAGE'].bytesize }, 2, 1],
     'records, also those read again, their bytes, events, and parts are counted')
  is([run.lags.last.between?(7199, 7210), value.call(:journal_hours), value.call(:last_event_seconds), value.call(:held), value.call(:disk_full)],
     [true, 2.0, (ago / 1_000_000 + 1).to_i, 0, 0], '... how old what was sent last is, and how far back the journal goes')
  is(value.call(:lag_seconds), 0, 'with nothing to read, and nothing held, nothing is late, however old the last event is')
end
refusals = {
  'the disk is full' => [1, -> { raise Errno::ENOSPC }],
  "the disk is full, as fluentd's buffer says of a new file" => [1, lambda do
    raise Errno::ENOSPC
  rescue SystemCallError
    raise "can't create buffer file"
  end],
  'it has its limit' => [0, -> { raise "can't take more" }]
}
refusals.each do |why, (full, refuse)|
  fresh do |dir|
    value = ->(name) { Prometheus::Client.registry.get(:"linux_audit_#{name}").value }
    ago = (Time.now.to_f - 3600).to_i
    journal((exec(1) + exec(2)).map { |r| r.merge('_SOURCE_REALTIME_TIMESTAMP' => ((ago + r['_AUDIT_ID'].to_i * 1000) * 1_000_000).to_s) })
    Run.new(dir, batch: 1000, kill: 6, &refuse)
    waits = [value.call(:lag_seconds).between?(2599, 2610), value.call(:disk_full)]
    lags = Run.new(dir, batch: 1000).lags
    is([waits, lags[1].between?(1599, 1610), value.call(:disk_full)], [[true, full], true, 0],
       "while the buffer takes nothing, how long the first event waits is told, and whether the disk is full (#{why})")
  end
end

# What may lie where the cursor is.
events = (1..12).flat_map { |id| exec(id) }
state = '{"cursor":"","read":"","held":[],"events":{%s},"sessions":%s}'
{ 'garbage' => "\x00\xff{", 'nothing' => '', 'another JSON' => '[1]', 'a cursor that is none' => '{"cursor":"x","read":"x","held":[],"events":{}}',
  'bytes that are no text' => format(state, "\"ended\":{\"\xff\":1}", 'null'), 'a character that is none' => format(state, '"ended":{"\ud800":1}', 'null'),
  'negative counts' => format(state, '"ended":{"x":-1}', 'null'), 'one size' => format(state, '', '[0]'), 'negative sizes' => format(state, '', '[1,-1]'),
  'boots that are none' => '{"cursor":"","read":"","held":[],"events":{},"boots":[1]}', 'a zero in its cursor' => '{"cursor":"s=f;i=1;\\u0000","read":"s=f;i=1;\\u0000","held":[],"events":{}}', 'what is nested too deeply' => '[' * 200 }
  .each do |what, text|
  fresh do |dir|
    journal(events.dup)
    File.binwrite("#{dir}/cursor.json", text)
    run = Run.new(dir)
    is([run.sent.size, run.log.grep(/from its head/).size, run.log.size], [12, 1, 1], "a cursor file with #{what}: from the head, with one warning")
  end
end
# And where what is known of containers is: what can be read of it is.
good = '{"ses":7,"pid":9}'
{ 'bytes that are no text' => "{\"ses\":1,\"id\":\"\xff\xfe\"}\n#{good}\n", 'a character that is none' => "{\"ses\":1,\"id\":\"\\ud800\"}\n#{good}\n", 'zeros' => "\0" * 50 + "\n#{good}\n",
  'a number that is none' => "{\"boot\":\"x\",\"forgotten\":{}}\n#{good}\n", 'sizes that are none' => "{\"boot\":\"x\",\"generation\":{}}\n#{good}\n",
  'a name that is none' => "{\"ses\":1,\"id\":{},\"pid\":2}\n#{good}\n", 'half a line' => "#{good}\n{\"ses\":1,\"pi" }.each do |what, text|
  fresh do |dir|
    path = "#{dir}/sessions.jsonl"
    File.binwrite(path, text)
    log = Fluent::Log.new
    2.times { AuditSessions.new(path, log).save }
    is([File.read(path).lines.grep_v(/generation/), log.lines.size], [["{\"pid\":9,\"ses\":7}\n"], 1], "a file of sessions with #{what}: its other lines count, with one warning")
    AuditSessions.new(path, log, [5, 9]).name('event' => "#{BOOT}-1", 'type' => ['SYSCALL'], 'auid' => 0xC0000001, 'ses' => 1, 'pid' => 2)
  end
end
fresh do |dir|
  File.write("#{dir}/sessions.jsonl", "{\"boot\":null,\"generation\":3,\"bytes\":-900}\n#{good}\n")
  log = Fluent::Log.new
  AuditSessions.new("#{dir}/sessions.jsonl", log, [2, 90])
  is([File.read("#{dir}/sessions.jsonl").lines.size, log.lines], [1, []], '... of a size below zero nothing')
end
fresh do |dir|
  journal(events.dup)
  File.write("#{dir}/cursor.json", JSON.generate('journal' => 's=f;i=7;b=0'))
  is(Run.new(dir).sent.map { |e| e['event'][/\d+\z/].to_i }, (2..12).to_a, 'the cursor of version 0.1 is read on from')
end

# The journal has been rotated away: from what is left, and nothing of that is skipped.
fresh do |dir|
  journal(events[0, 18])
  Run.new(dir)
  journal(events[24..], 25)
  run = Run.new(dir)
  is([run.sent.map { |e| e['event'][/\d+\z/].to_i }, run.log.grep(/no longer/).size], [(5..12).to_a, 1],
     'after what was read last has been deleted, it goes on with the first that is there, with a warning')
end

# Killed while an event of the first batch is held, so that the cursor is still the head, and started again when all of that boot has
# been deleted: nothing of the next one was sent.
boots = [BOOT, BOOT.reverse, 'fedcba98' * 4].map { exec(1)[0..4] + exec(2) + exec(3) }
boots.zip([BOOT, BOOT.reverse, 'fedcba98' * 4], %w[f e d]) { |all, boot, file| all.each { |r| r.update('_BOOT_ID' => boot, '__FILE' => file) } }
fresh do |dir|
  journal(boots[0])
  Run.new(dir)
  state = JSON.parse(File.read("#{dir}/cursor.json"))
  journal(boots[1], 18)
  sent = Run.new(dir, later: 1.1).sent
  is([state['cursor'], state['held'].size, restored(sent), sent.count { |e| e['part'] }], ['', 1, written(boots[1]), 0],
     'after a whole boot, in which reading began, has been deleted, all of the next one comes')
end
# Three boots in one batch.
fresh do |dir|
  journal(boots.flatten(1))
  first = Run.new(dir, batch: 1000).sent
  last = Run.new(dir, batch: 1000, later: 1.1).sent
  is([restored(first + last), first.size + last.size, last.map { |e| e['id'] }], [written(boots.flatten(1)), 9, ["#{boots[2][0]['_BOOT_ID']}-1-0"]],
     'started again with an event of the third boot of a batch held: what was sent of those before is not sent again')
end

# Events of many arguments, to which something is missing: there is memory for some.
events = AuditEvents.new
long = 'x' * 100_000
sizes = (1..60).map do |id|
  done = 12.times.flat_map { events.add("#{BOOT}-#{id}", 'EXECVE', long, written: 1, came: 1, now: 1, from: '') }
  [events.held.each_value.sum { |e| e.records.sum { |_, text| text.bytesize } }, done.size]
end
is([sizes.map(&:first).max.between?(20_000_000, 33_000_000), sizes.sum(&:last) + events.held.size], [true, 60],
   'events that are held have no more than 32 MB of text together: beyond it the oldest end')
again = AuditEvents.new(events.saved)
events.held.each_value { |e| e.records.each { |type, text| again.again(e.id, type, text, written: 1, came: 1, now: 1, from: '') } }
ends = [events, again].map { |of| (1..12).flat_map { |id| of.add("#{BOOT}-#{id + 90}", 'EXECVE', long * 10, written: 1, came: 1, now: 1, from: '').map(&:id) } }
is([ends[0].size > 3, ends[0]], [true, ends[1]], '... the same ones after a restart')

# A journal file is damaged: libsystemd gives of a record what stands there.
{ 'no text' => { 'MESSAGE' => '' }, 'no number' => { '_AUDIT_ID' => "1\xff".b }, 'no boot' => { '_BOOT_ID' => "\xff".b * 32, '__BOOT' => BOOT },
  'a field that is gone' => { 'MESSAGE' => nil }, 'no time' => { '_SOURCE_REALTIME_TIMESTAMP' => "\xff" } }.each do |what, damage|
  fresh do |dir|
    journal(exec(1) + exec(2).each_with_index.map { |r, i| i == 1 ? r.merge(damage).compact : r } + exec(3))
    run = Run.new(dir, later: 4.1)
    is([run.sent.map { |e| JSON.generate(e) && e['event'] }.uniq, run.sent.sum { |e| e['type'].size } >= 11, JSON.parse(File.read("#{dir}/cursor.json"))['held']],
       [(1..3).map { |id| "#{BOOT}-#{id}" }, true, []], "a record of the journal that has #{what}: all others come")
  end
end

# The file of what was read last is rotated away, or deleted with all before it, while the input runs.
{ 'rotated' => -> {}, 'deleted' => -> { Systemd::Journal.first += Systemd::Journal.entries.size and Systemd::Journal.entries = [] } }.each do |what, gone|
  fresh do |dir|
    all = mixed([exec(1), exec(2)], 2, Random.new(1))
    journal(all[0, 8])
    Systemd::Journal.waits = lambda do
      gone.call
      Systemd::Journal.entries += all[8..]
    end
    run = Run.new(dir, batch: 1000)
    is([restored(run.sent), run.sent.count { |e| e['part'] }, run.log], [written(all), 0, []],
       "the file of what was read last is #{what}: events that are held stay whole, and nothing is said")
  end
end

# The start record of a container is gone from the journal when the input starts again.
fresh do |dir|
  named = inside(3, 7, 60).each { |r| r['_AUDIT_ID'] = '30' }
  journal([record(1, start(7, 907))] + inside(2, 7, 60))
  Run.new(dir)
  journal(named, 50)
  sent = Run.new(dir).sent
  is(sent.map { |e| e['container']&.slice('name', 'pod', 'source') }, [{ 'name' => 'web', 'pod' => 'web-7', 'source' => 'start' }],
     'started again when the start record has been deleted, the container still has its names')
end

# The clock is set back by an hour: what comes then is not torn.
fresh do |dir|
  back = (11..16).map { |id| exec(id).each { |r| r['_SOURCE_REALTIME_TIMESTAMP'] = (r['_SOURCE_REALTIME_TIMESTAMP'].to_i - 3_600_000_000).to_s } }
  all = exec(1) + mixed(back, 3, random)
  journal(all)
  sent = Run.new(dir, batch: 2).sent
  is([restored(sent), sent.count { |e| e['part'] }], [written(all), 0], 'the clock is set back: events stay whole')
end

# A late record that is held, in one batch with what the event had before.
fresh do |dir|
  journal(exec(1) + [record(1, 'CWD cwd="/late"')])
  first = Run.new(dir, batch: 1000).sent
  late = Run.new(dir, batch: 1000, later: 1.1).sent
  is([first.map { |e| e['id'] }, late.map { |e| e.values_at('id', 'type', 'cwd') }], [["#{BOOT}-1-0"], [["#{BOOT}-1-6", %w[CWD], '/late']]],
     'a late part that is held over a restart does not take in again what was sent')
end
fresh do |dir|
  journal(exec(1) + exec(2))
  events = { 'ended' => { "#{BOOT}-1" => 5 }, 'broken' => {}, 'expect' => {} }
  File.write("#{dir}/cursor.json", JSON.generate('cursor' => 'x', 'read' => 'x', 'held' => [], 'events' => events))
  is(Run.new(dir).sent.map { |e| e['id'] }, ["#{BOOT}-1-0", "#{BOOT}-2-0"], 'after a cursor that is refused entries have the insertIds they had')
end

# The versions before saved no times.
fresh do |dir|
  all = mixed((1..12).map { |id| exec(id) }, 5, Random.new(9))
  journal(all[0, 38])
  first = Run.new(dir).sent
  state = JSON.parse(File.read("#{dir}/cursor.json"))
  state['events'] = state['events'].slice('ended', 'broken', 'expect')
  File.write("#{dir}/cursor.json", JSON.generate(state))
  Systemd::Journal.entries = all
  sent = first + Run.new(dir).sent
  is([state['held'].size > 2, restored(sent), sent.count { |e| e['part'] }], [true, written(all), 0], 'after an update the events that were held stay whole')
end

# A reboot in the middle of a batch, with an event of the old one held.
NEXT = BOOT.reverse
fresh do |dir|
  id = 'da5f4af' + '0' * 57
  auid = 0xC0000000 | 0xda5f4af
  start = "VIRT_CONTROL pid=5 uid=0 auid=#{auid} ses=9 subj=unconfined msg='op=start virt=container vm=\"#{id}\" pod=\"web-0\" namespace=\"shop\" uuid=\"1\" " \
          "container=\"web\" image=\"w\" exec=no terminal=no login=set res=success'"
  inside = "USER_LOGIN pid=6 uid=0 auid=#{auid} ses=9 subj=unconfined msg='op=login id=0 res=success'"
  journal([record(8, syscall(8, 0).sub('auid=1000', "auid=#{auid}")), record(1, start, NEXT)])
  sent = Run.new(dir, batch: 1000, later: 1.1).sent
  is(sent.map { |e| e['event'] }, ["#{BOOT}-8", "#{NEXT}-1"], 'at a reboot what is held comes first')
  Systemd::Journal.entries << record(2, inside, NEXT)
  is(Run.new(dir).sent.map { |e| e['container']&.slice('name', 'source') }, [{ 'name' => 'web', 'source' => 'start' }],
     "... and the new boot's containers keep their names")
end

# An event of which no entry can be made.
fresh do |dir|
  journal(exec(1) + exec(2) + exec(3))
  AuditArguments.prepend(Module.new { def add(text) = text.include?('"2"') ? raise('made up') : super })
  run = Run.new(dir)
  entry = run.sent.find { |e| e['event'].end_with?('-2') }
  is([run.sent.size, entry['records'].map(&:values), entry.values_at('id', 'severity')], [3, written(exec(2)).values.first, ["#{BOOT}-2-0", 'WARNING']],
     'an event of which no entry can be made comes with its records as they stand')
  is(run.log.grep(/made up/).size, 1, '... which is said, and the others come')
end

puts "1..#{$n}"
