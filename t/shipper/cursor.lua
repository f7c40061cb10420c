-- The cursor that fluent-bit's Lua keeps back, without fluent-bit: arg[1] is a copy of k8s/components/fluent-bit whose
-- state is below arg[2]. Prints TAP.
local conf, dir = arg[1] .. '/', arg[2] .. '/fluent-bit/'
local tap = dofile(arg[0]:match('^.*/') .. 'tap.lua')
local ok = tap.ok
local read, write = tap.files(dir)
local said, exited = '', nil
io.stderr = { write = function(_, ...) said = said .. table.concat({ ... }) end }
os.exit = function(code)
  exited = code
  error('ended')
end
local DATABASE = 'SQLite format 3\0'
flb_null = newproxy()
local function begin()
  said = ''
  for name in pairs(package.loaded) do if name:find('^audit') or name == 'state' then package.loaded[name] = nil end end
  dofile(conf .. 'start.lua')
  dofile(conf .. 'audit.lua')
end
local TIME = 1785600000
local function tick() return (audit('linux-auditd', TIME, { tick = '1' })) end
local number = 0
local function record(message, id)
  number = number + 1
  return audit('linux-auditd', TIME + number / 1000000, { MESSAGE = message, BOOT_ID = ('ab'):rep(16), AUDIT_ID = id or tostring(number),
    SOURCE_REALTIME_TIMESTAMP = tostring(1785600000000000 + number) })
end
local function events_of(code, _, entries)
  local ids = {}
  for _, entry in ipairs(code == 2 and entries or {}) do
    ids[#ids + 1] = entry['logging.googleapis.com/insertId']:sub(34) .. ':' .. table.concat(entry.type, ',')
  end
  return table.concat(ids, ' ')
end

local function none_saved() return select(2, dofile(conf .. 'state.lua').load()) == '' end

begin()
ok(said == '' and none_saved(), 'without a database, nothing is said')
write('cursor.db', DATABASE .. 'in no chunk')
begin()
ok(not read('cursor.db') and said == '', '... and when it is killed before the first tick, it begins at the head again')
os.remove(dir .. 'cursor.saved')
write('cursor.db', DATABASE .. 'of 0.1')
begin()
ok(read('cursor.db') == DATABASE .. 'of 0.1' and said == '', 'a database without a saved cursor, of an older version, stays')
write('cursor.db', DATABASE .. 'in no chunk')
begin()
ok(read('cursor.db') == DATABASE .. 'of 0.1', '... also when it is killed before the first tick')
ok(tick() == -1 and read('cursor.saved'):find('of 0.1', 1, true), 'a tick saves the cursor, and is no record')
write('cursor.db', DATABASE .. 'read')
record('PROCTITLE proctitle="a"')
write('cursor.db-journal', 'of a transaction that a kill ended')
ok(not read('cursor.saved'):find('read', 1, true), 'a record saves none: it is in no chunk yet')
begin()
ok(read('cursor.db') == DATABASE .. 'of 0.1', '... so that after a kill it is read again')
ok(not read('cursor.db-journal'), '... from the database as it was saved, without what another has left')
write('cursor.db', DATABASE .. 'read')
record('PROCTITLE proctitle="a"')
tick()
write('cursor.db', DATABASE .. 'more')
begin()
ok(read('cursor.db') == DATABASE .. 'read', 'and not after the tick that followed it')

write('cursor.db', 'garbage')
begin()
ok(read('cursor.db') == DATABASE .. 'read' and said == '', 'a database of garbage is replaced by the saved one')
os.remove(dir .. 'cursor.saved')
write('cursor.db', 'garbage')
begin()
ok(not read('cursor.db') and said:find('is no database'), '... without that, goes, and it is said')
write('cursor.saved', 'garbage')
begin()
ok(read('cursor.db') and select(2, said:gsub('\n', '\n')) == 1 and said:find('is damaged'),
  'a saved cursor that is damaged: from the earlier one beside it, with one warning')
for _, damage in ipairs({ '', 'garbage', 'cloud-audit-logging cursor 1 0 20 00\nSQLite format 3\0abcd' }) do
  write('cursor.db', DATABASE .. 'later')
  write('cursor.saved', damage)
  os.remove(dir .. 'cursor.saved.earlier')
  begin()
  ok(not read('cursor.db') and none_saved() and select(2, said:gsub('\n', '\n')) == 1,
    '... without that from the head, with one warning')
end


-- Events that are held while the cursor would move on.
os.remove(dir .. 'cursor.saved')
os.remove(dir .. 'cursor.db')
begin()
record('PROCTITLE proctitle="x"', '899')
record('SYSCALL arch=c000003e syscall=59 items=2', '900')
record('EXECVE argc=1 a0="a"', '900')
write('cursor.db', DATABASE .. 'half')
tick()
ok(none_saved(), 'a cursor in the middle of an event is not saved while the event is held')
record('PATH item=0 name="/a"', '900')
record('PATH item=1 name="/b"', '900')
ok(events_of(record('PROCTITLE proctitle="a"', '900')) == '900-0:SYSCALL,EXECVE,PATH,PROCTITLE', 'the event ends')
ok(none_saved(), '... and it still is not, before a tick has shown that it is in a chunk')
tick()
ok(read('cursor.saved'):find('half', 1, true), '... then it is')
begin()
ok(record('PATH item=0 name="/a"', '900') == -1 and record('PATH item=1 name="/b"', '900') == -1 and
  record('PROCTITLE proctitle="a"', '900') == -1, 'after a kill, records that are read again and were sent are sent no more')
record('SYSCALL arch=c000003e syscall=59 items=0', '901')
ok(events_of(record('PROCTITLE proctitle="b"', '901')) == '901-0:SYSCALL,PROCTITLE', '... but others are')
record('CWD cwd="/"', '900')
local late = ''
for _ = 1, 8 do late = late .. events_of(audit('linux-auditd', TIME, { tick = '1' })) end
ok(late == '900-5:CWD', '... and what comes late is a part that counts on')

-- What was read while a cursor waited for events that were held.
record('SYSCALL arch=c000003e syscall=59 items=0', '960')
write('cursor.db', DATABASE .. 'waits')
tick()
record('PROCTITLE proctitle="a"', '960')
write('cursor.db', DATABASE .. 'goes on')
for _ = 1, 3 do tick() end
ok(read('cursor.saved'):find('goes on', 1, true), 'a cursor that was passed while an earlier one waited is saved, also when nothing more comes')

-- What is known of events that are read again goes, some time.
write('cursor.db', DATABASE .. 'in the middle')
record('SYSCALL arch=c000003e syscall=59 items=0', '970')
tick()
for _ = 1, 8 do tick() end
begin()
record('PROCTITLE proctitle="a"')
write('cursor.db', DATABASE .. 'further')
tick()
ok(not read('cursor.saved'):find('again %x+-970 '), 'an event of which all was read is not remembered as one that comes again')

-- In a backlog that is read slowly an event is cut by the time of the journal, never by that of its arrival.
record('SYSCALL arch=c000003e syscall=59 items=0', '975')
for _ = 1, 8 do
  record('PROCTITLE proctitle="a"')
  tick()
end
ok(events_of(record('PROCTITLE proctitle="b"', '975')) == '975-0:SYSCALL,PROCTITLE', 'an event stays whole while others come, however slowly')

-- What the versions before had saved: an event a line, and what is waited for by kind of record.
do
  local of = function(serial) return ('ab'):rep(16) .. '-' .. serial end
  local old = require('audit_events').new(('ended %s 5\nbroken %s 3\nagain %s 2 5\nexpect PATH 17\nexpect PROCTITLE 256\n'):format(of(10), of(11), of(12)))
  ok(old:first(of(10)) == 5 and old:first(of(11)) == 3 and old:first(of(12)) == 2, 'after an update what comes late has an insertId of its own')
  local new = require('audit_events').new(old:memory(old:mark()))
  ok(new:first(of(10)) == 5 and new:first(of(11)) == 3, '... as after the next start, from what is saved now')
end

-- Events of many arguments, to which something is missing: there is memory for some.
do
  local Events = require('audit_events')
  local function id_of(serial) return ('ab'):rep(16) .. '-' .. serial end
  local function fill(of, serial, text)
    local ids = {}
    for _ = 1, 12 do
      for _, event in ipairs(of:add(('ab'):rep(16), id_of(serial), 'EXECVE', text, 1, 1, 1)) do ids[#ids + 1] = event.id end
    end
    return ids
  end
  local function size(of)
    local sum = 0
    for _, event in pairs(of.held) do for _, one in ipairs(event.records) do sum = sum + #one[2] end end
    return sum
  end
  local of, most, ended, long = Events.new(), 0, 0, ('x'):rep(100000)
  for serial = 1, 60 do
    ended = ended + #fill(of, serial, long)
    most = math.max(most, size(of))
  end
  ok(most > 20000000 and most < 33000000 and ended + of.count == 60,
    'events that are held have no more than 32 MB of text together: beyond it the oldest end', ('%d held, most %d'):format(of.count, most))
  local mark = of:mark()
  local again, first, then_too = Events.new(of:memory(mark)), {}, {}
  for serial = 91, 102 do
    for _, one in ipairs(fill(of, serial, long .. long)) do first[#first + 1] = one end
    fill(again, serial, long .. long)
  end
  for serial = 1, 102 do if again.held[id_of(serial)] then then_too[#then_too + 1] = id_of(serial) end end
  local held = {}
  for serial = 1, 102 do if of.held[id_of(serial)] then held[#held + 1] = id_of(serial) end end
  ok(#first > 3 and table.concat(held, ' ') == table.concat(then_too, ' '), '... the same ones after a restart', #held .. ' and ' .. #then_too)
end

-- A reboot, with an event held.
local function boot(letters, id, message)
  return audit('linux-auditd', TIME, { MESSAGE = message, BOOT_ID = letters:rep(16), AUDIT_ID = id, SOURCE_REALTIME_TIMESTAMP = '1785600000000000' })
end
boot('ab', '980', 'SYSCALL arch=c000003e syscall=59 items=0')
ok(events_of(boot('cd', '1', 'PROCTITLE proctitle="a"')) == '980-0:SYSCALL 1-0:PROCTITLE', 'at a reboot what is held comes first')

-- The clock is set back by an hour.
local function at(time, id, message)
  return audit('linux-auditd', time / 1000000, { MESSAGE = message, BOOT_ID = ('ab'):rep(16), AUDIT_ID = id, SOURCE_REALTIME_TIMESTAMP = tostring(time) })
end
at(1785600100000000, '950', 'PROCTITLE proctitle="x"')
local torn = at(1785596500000000, '951', 'SYSCALL arch=c000003e syscall=59 items=0') ~= -1
ok(not torn and events_of(at(1785596500000000, '951', 'PROCTITLE proctitle="b"')) == '951-0:SYSCALL,PROCTITLE', 'the clock is set back: events stay whole')

-- By less than that an event could be told apart from one that was overtaken.
for i, back in ipairs({ 1, 3, 4.9 }) do
  local time = 1785600200000000 + i * 100000000
  at(time, tostring(960 + 10 * i), 'PROCTITLE proctitle="x"')
  torn = at(time - back * 1000000, tostring(961 + 10 * i), 'SYSCALL arch=c000003e syscall=59 items=0') ~= -1
  ok(not torn and events_of(at(time - back * 1000000, tostring(961 + 10 * i), 'PROCTITLE proctitle="b"')) == (961 + 10 * i) .. '-0:SYSCALL,PROCTITLE',
    'the clock is set back by ' .. back .. ' s: events stay whole')
end

-- An event of which no entry can be made.
local Entry = require('audit_entry')
local all = Entry.all
Entry.all = function() error('made up') end
at(1785596500000000, '952', 'SYSCALL arch=c000003e syscall=59 items=0')
local _, _, bare = at(1785596500000000, '952', 'PROCTITLE proctitle="b"')
Entry.all = all
ok(bare and bare[1] and bare[1].records[2].text == 'proctitle="b"' and events_of(2, nil, bare) == '952-0:SYSCALL,PROCTITLE' and
  bare[1]['logging.googleapis.com/local_resource_id'] and said:find('made up'),
  'an event of which no entry can be made comes with its records as they stand, and that is said')

-- How late it is, which is written at a tick.
local function lag()
  for _ = 1, 60 do tick() end
  return tonumber(read('signals.prom'):match('\nlinux_audit_lag_seconds (%d+)\n'))
end
lag()
at((os.time() - 3600) * 1000000, '953', 'PROCTITLE proctitle="a"')
local age = lag()
ok(age >= 3600 and age < 3900, 'how old the last event was is told')
age = { lag(), lag(), lag(), lag() }
ok(age[3] >= 3600 and age[4] == 0, '... until nothing was read for a minute: nothing is late, however old the last event is')
local text
local counts = require('signals').new({ write = function(_, all) text = all return true end })
local function lag_with(full, held)
  for _ = 1, 4 do counts:write({ full = full, left_out = 0, held = held }) end
  return tonumber(text:match('\nlinux_audit_lag_seconds (%d+)\n'))
end
counts:record(10)
counts:event({ written = (os.time() - 3600) * 1000000 })
ok(lag_with(true, 0) >= 3600 and lag_with(false, 1) >= 3600 and lag_with(false, 0) == 0,
  '... but not while the disk is full, or an event is held')

-- A full disk: here a directory that is not there.
os.remove(dir .. 'cursor.saved')
write('cursor.db', DATABASE .. 'before')
begin()
for _ = 1, 2 do tick() end
-- The metrics, where nothing new can be made.
assert(os.execute('mkdir ' .. dir .. 'signals.prom.new'))
local signals = require('audit_sessions') and require('signals').new(require('state'))
signals:write({ full = true, left_out = 0, held = 0 })
ok(read('signals.prom'):find('linux_audit_disk_full 1\n', 1, true), 'that the disk is full is told also when no file can be made')
assert(os.execute('rmdir ' .. dir .. 'signals.prom.new'))
assert(os.rename(dir, dir:sub(1, -2) .. '.away'))
said = ''
tick()
ok(said == '', 'nothing read, nothing asked of the disk')
record('PROCTITLE proctitle="a"')
tick()
ok(said:find('nothing more is taken from the journal'), 'a full disk is found at the tick, and told')
ok(record('PROCTITLE proctitle="a"') == -1, '... from then on records stay in the journal')
tick()
ok(select(2, said:gsub('\n', '\n')) == 1 and not exited, '... told once')
assert(os.rename(dir:sub(1, -2) .. '.away', dir))
write('cursor.db', DATABASE .. 'far ahead')
pcall(tick)
ok(exited == 1, '... until there is room: it ends, to be started anew')
begin()
ok(read('cursor.db') == DATABASE .. 'before', '... from the cursor before the first record that found none')

-- At the first start nothing can be saved, and a moment later it can.
for _, name in ipairs({ 'cursor.saved', 'cursor.saved.earlier', 'cursor.db' }) do os.remove(dir .. name) end
assert(os.execute('mkdir ' .. dir .. 'cursor.saved.new'))
begin()
assert(os.execute('rmdir ' .. dir .. 'cursor.saved.new'))
for _, text in ipairs({ 'first', 'second', 'third' }) do
  write('cursor.db', DATABASE .. text)
  record('PROCTITLE proctitle="a"')
  for _ = 1, 250 do tick() end
end
ok((read('cursor.saved.earlier') or ''):find('second', 1, true) and read('cursor.saved'):find('third', 1, true),
  'where the first start could not save, what was saved a minute before is kept all the same')

begin()
local code, _, out = audit('linux-auditd', TIME, { MESSAGE = 'PROCTITLE x' })
ok(code == 2 and out['logging.googleapis.com/local_resource_id'] == 'k8s_node.node-1' and said:find('error'),
  'an error in the script costs an entry its fields, not the chunk its resource')
tap.done()
