-- fluent-bit's scripts, killed at any of their steps and started again: what comes twice is the same, nothing is missing.
-- arg[1] is a copy of k8s/components/fluent-bit whose state is below arg[2]. Prints TAP.
--
-- A journal is played as in_systemd reads it: a batch is read, its cursor saved, then the scripts get its records, and
-- what they give is in a chunk when the batch is over. A tick is a batch, too. A kill comes at any of these steps, or when a
-- script renames a file. Or the power is lost then. And reading begins in the middle, and knows nothing: what began after it is sent as it was.
local conf, dir = arg[1] .. '/', arg[2] .. '/fluent-bit/'
local tap = dofile(arg[0]:match('^.*/') .. 'tap.lua')
local ok = tap.ok
local read, write = tap.files(dir)
flb_null = newproxy()
package.path = conf .. '?.lua;' .. package.path
-- Megabytes, at each tick.
require('state').room = function() return true end
io.stderr = { write = function() end }
local chance = 7
local function random(limit)
  chance = (chance * 1103515245 + 12345) % 2147483648
  return math.floor(chance / 65536) % limit
end

-- --- journals ---
local TIME = 1785600000000000
local token = 0
local function new() token = token + 1 return 't' .. token .. 'x' end
-- came: when it came into the journal, in microseconds, which is no field.
local function record(boot, id, time, text, came)
  return { came = came, MESSAGE = text, BOOT_ID = boot:rep(16), AUDIT_ID = tostring(id), SOURCE_REALTIME_TIMESTAMP = ('%d'):format(time) }
end
local function exec(more)
  local s = { ses = more.ses or 1, auid = more.auid or 1000, pid = more.pid or 50, items = more.items or 2 }
  local texts = { ('SYSCALL arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=%d ppid=1 pid=%d auid=%d uid=0 gid=0 ' ..
    'euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=%d comm="%s" exe="/bin/true" subj=unconfined key="exec"'):format(s.items,
    s.pid, s.auid, s.ses, new()), ('EXECVE argc=2 a0="true" a1="%s"'):format(new()), ('CWD cwd="/%s"'):format(new()) }
  for item = 0, (more.paths or s.items) - 1 do
    texts[#texts + 1] = ('PATH item=%d name="/%s" inode=7 dev=fe:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 ' ..
      'cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0'):format(item, new())
  end
  if more.title then texts[#texts + 1] = ('PROCTITLE proctitle="%s"'):format(new()) end
  return texts
end
local function begins(ses, pid)
  return { ("VIRT_CONTROL pid=%d uid=0 auid=%d ses=%d subj=unconfined msg='op=start virt=container vm=\"%s\" pod=\"%s\" namespace=\"shop\" " ..
    "uuid=\"1\" container=\"web\" image=\"w\" exec=no terminal=no res=success'"):format(pid, 0xC0000000 + ses, ses, ('%07x'):format(ses):rep(9),
    new()) }
end
-- Events, of which as many as `open` come mixed, each in its own order. `step`: microseconds from one to the next; `before`: how many there were.
local function mixed(events, open, step, boot, from, before)
  local all, now, at = {}, {}, 0
  while at < #events or #now > 0 do
    while #now < open and at < #events do
      at = at + 1
      now[#now + 1] = { id = (before or 0) + at, texts = events[at], time = from + at * step, done = 0 }
    end
    local k = 1 + random(#now)
    local event = now[k]
    event.done = event.done + 1
    all[#all + 1] = record(boot, event.id, event.time, event.texts[event.done], from + at * step)
    if event.done == #event.texts then table.remove(now, k) end
  end
  return all
end
local function events(count, of)
  local all = {}
  for i = 1, count do all[i] = exec(of(i)) end
  return all
end
local function join(...)
  local all = {}
  for _, part in ipairs({ ... }) do for _, r in ipairs(part) do all[#all + 1] = r end end
  return all
end
local function titles(i) return { title = i % 3 > 0 } end
local function sessions()
  local all = {}
  for i = 1, 12 do
    local ses = 10 + i
    local of = { ses = ses, auid = 0xC0000000 + ses, pid = 900 + ses }
    all[#all + 1] = exec(of)
    all[#all + 1] = begins(ses, i % 4 == 0 and 7 or of.pid)
    for _ = 1, 3 do all[#all + 1] = exec({ ses = ses, auid = of.auid, pid = 60, title = i % 2 == 0 }) end
  end
  return all
end
local JOURNALS = {
  { 'events that come mixed', mixed(events(40, titles), 5, 2000, 'ab', TIME) },
  { 'containers that start', join(mixed(sessions(), 4, 2000, 'ab', TIME), mixed(sessions(), 4, 2000, 'cd', TIME + 60000000)) },
  { 'another boot, with many events held', join(mixed(events(300, function(i) return { title = i < 5 } end), 5, 50, 'ab', TIME),
    mixed(events(30, titles), 5, 50, 'cd', TIME + 1000000)) },
  { 'another boot, the clock set back by a day before it', join(mixed(sessions(), 4, 2000, 'ab', TIME),
    mixed(sessions(), 4, 2000, 'cd', TIME - 86400000000)) },
  { 'events that are cut by their time', mixed(events(30, titles), 6, 900000, 'ab', TIME) },
  { 'records that are missing', mixed(events(60, function(i) return { paths = i % 4 == 0 and 1 or i % 7 == 0 and 0 or 2, title = i % 3 == 0 } end), 5,
    300000, 'ab', TIME) },
  { 'titles, then none for long, then paths, then none for long', (function()
    local parts, before = {}, 0
    for i, of in ipairs({ { title = true }, {}, { title = true }, { paths = 0, title = true }, { title = true } }) do
      local count = i % 2 == 0 and 300 or 20
      parts[i] = mixed(events(count, function() return of end), 5, 2000, 'ab', TIME + before * 2000, before)
      before = before + count
    end
    return join(unpack(parts))
  end)() },
  { 'the clock set back by two seconds', join(mixed(events(20, titles), 5, 200000, 'ab', TIME), mixed(events(20, titles), 5, 200000, 'ab', TIME + 2000000, 20)) },
}

-- --- runs ---
local KILLED = {}
local steps, kill
local function point()
  steps = steps + 1
  if steps == kill then error(KILLED) end
end
local rename = os.rename
os.rename = function(from, to)
  point()
  local done, why = rename(from, to)
  point()
  return done, why
end
os.exit = function() error('ended') end
local function text_of(value)
  if type(value) ~= 'table' then return value == flb_null and 'null' or tostring(value) end
  local names, out = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do out[i] = tostring(name) .. '=' .. text_of(value[name]) end
  return '{' .. table.concat(out, ',') .. '}'
end

-- One start: reads what there is up to `last`, then waits. What comes into chunks is added to `sent`.
-- With `ticks` after each batch; `at`: how many there were when it came into a chunk.
local clock = 0
local function start(journal, last, batch, sent, ticks)
  dofile(conf .. 'start.lua')
  -- What a start makes anew is made in it.
  dofile(conf .. 'audit.lua')
  local chunk = {}
  local function give(r)
    -- pcall is in the scripts: a kill goes through it.
    local code, _, entries = audit('linux-auditd', (r.came or 0) / 1000000, r)
    if steps >= kill then error(KILLED) end
    for _, entry in ipairs(code == 2 and entries or {}) do chunk[#chunk + 1] = entry end
  end
  local function over()
    point()
    for _, entry in ipairs(chunk) do sent[#sent + 1] = { at = clock, entry = entry } end
    chunk = {}
    point()
  end
  local function tick()
    clock = clock + 1
    give({ tick = '1' })
    over()
  end
  local at = tonumber((read('cursor.db') or ''):match('%d+$') or 0)
  tick()
  while at < last do
    local to = math.min(last, at + batch)
    point()
    write('cursor.db', 'SQLite format 3\0' .. ('%d'):format(to))
    point()
    for i = at + 1, to do give(journal[i]) end
    over()
    at = to
    for _ = 1, ticks or (random(3) == 0 and 1 or 0) do tick() end
  end
  for _ = 1, 24 do tick() end
end

local function anew()
  for _, name in ipairs({ 'cursor.db', 'cursor.saved', 'cursor.saved.earlier', 'sessions', 'signals.prom' }) do os.remove(dir .. name) end
  write('../boot_id', 'one\n')
  chance = 11
end

-- Starts until all is read; each but the last is killed. `stages`: how much there is to read.
local function all_of(journal, stages, batch, kills)
  anew()
  local sent = {}
  for _, last in ipairs(stages) do
    repeat
      steps, kill = 0, table.remove(kills, 1) or math.huge
      local done, why = pcall(start, journal, last, batch, sent)
      if not done and why ~= KILLED then error(why, 0) end
    until done
  end
  return sent, steps
end

-- Of what came the first with each insertId; what of the others is not the same.
local function check(journal, sent)
  local of, there = {}, {}
  for _, one in ipairs(sent) do
    local entry = one.entry
    local id, text = entry['logging.googleapis.com/insertId'], text_of(entry)
    if of[id] and of[id] ~= text then return id .. ' is ' .. of[id] .. ' and ' .. text end
    if not of[id] then for found in text:gmatch('t%d+x') do there[found] = true end end
    of[id] = text
  end
  for _, r in ipairs(journal) do
    local found = r.MESSAGE:match('t%d+x')
    if not there[found] then return found .. ' is missing: ' .. r.MESSAGE:sub(1, 60) end
  end
end

for _, of in ipairs(JOURNALS) do
  local what, journal = of[1], of[2]
  local batch = math.max(7, math.floor(#journal / 20))
  local wrong
  for _, stages in ipairs({ { #journal }, { math.floor(#journal / 2), #journal } }) do
    local sent, count = all_of(journal, stages, batch, {})
    wrong = wrong or check(journal, sent)
    local every = math.max(1, math.floor(count / 14))
    for k = 1, count, every do
      for _, kills in ipairs({ { k }, { k, 9 + random(count) } }) do
        wrong = wrong or check(journal, (all_of(journal, stages, batch, kills)))
      end
    end
  end
  ok(not wrong, 'killed at any step: what comes twice is the same, nothing is missing (' .. what .. ')', wrong)
end

-- The node loses its power: what came into chunks in the last minute is on no disk, nor, half of the times, are the last records
-- of the journal. A batch takes ten seconds.
for _, of in ipairs({ JOURNALS[1], JOURNALS[2], JOURNALS[6] }) do
  local what, all, wrong = of[1], {}, nil
  local batch = math.max(7, math.floor(#of[2] / 20))
  for i, r in ipairs(of[2]) do
    all[i] = {}
    for name, value in pairs(r) do all[i][name] = value end
    all[i].came = r.came + math.floor((i - 1) / batch) * 10000000
  end
  anew()
  steps, kill = 0, math.huge
  start(all, #all, batch, {}, 40)
  local count = steps
  for k = 1, count, math.max(1, math.floor(count / 60)) do
    anew()
    local sent, journal = {}, {}
    steps, kill = 0, k
    local done, why = pcall(start, all, #all, batch, sent, 40)
    if not done and why ~= KILLED then error(why, 0) end
    local there = tonumber((read('cursor.saved') or ''):match('%d+$') or 0)
    local torn = k % 2 == 0
    for i = 1, torn and math.max(0, there - 10) or #all do journal[i] = all[i] end
    for _, r in ipairs(mixed(events(9, titles), 3, 2000, 'ef', TIME + 600000000)) do journal[#journal + 1] = r end
    -- Where it cannot be renamed safely, the newest is empty.
    if k % 5 == 0 and there > 0 then write('cursor.saved', '') end
    local kept, lost_at = {}, clock - 240
    for _, one in ipairs(sent) do if one.at <= lost_at then kept[#kept + 1] = one end end
    write('../boot_id', 'two\n')
    steps, kill = 0, math.huge
    start(journal, #journal, batch, kept)
    wrong = wrong or check(journal, kept)
    for _, one in ipairs(torn and {} or sent) do kept[#kept + 1] = one end
    wrong = wrong or check(journal, kept)
  end
  ok(not wrong, 'the power is lost at any step: what was not yet on the disk comes again as it was, and of the next boot all (' .. what .. ')', wrong)
end

-- By insertId, but for the names of containers, whose start records are gone.
local function by_id(sent)
  local of = {}
  for _, one in ipairs(sent) do
    local entry = one.entry
    entry.container = nil
    of[entry['logging.googleapis.com/insertId']] = text_of(entry)
  end
  return of
end
for _, of in ipairs(JOURNALS) do
  local what, journal = of[1], of[2]
  local batch, wrong = math.max(7, math.floor(#journal / 20)), nil
  local want = by_id((all_of(journal, { #journal }, batch, {})))
  for k = 1, 20 do
    local from = math.floor(#journal * k / 21)
    local rest, began = {}, {}
    for i, r in ipairs(journal) do
      local event = r.BOOT_ID .. '-' .. r.AUDIT_ID
      began[event] = began[event] or i
      if i > from then rest[#rest + 1] = r end
    end
    local got = by_id((all_of(rest, { #rest }, batch, {})))
    for _, found in ipairs({ got, want }) do
      for id in pairs(found) do
        if began[id:match('^(.*)%-%d+$')] > from and got[id] ~= want[id] then
          wrong = wrong or ('from %d: %s is %s and %s'):format(from, id, tostring(want[id]), tostring(got[id]))
        end
      end
    end
  end
  ok(not wrong, 'begun anywhere, with nothing known: what began later is sent as it was (' .. what .. ')', wrong)
end
tap.done()
