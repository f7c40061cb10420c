-- Puts the records of an event together, which come in the kernel's order with those of other events between them.
-- Nothing in the journal ends an event: it is over with its PROCTITLE, when a program sent it, or when its time is. What
-- comes later is a part of its own, which goes on counting where the event ended. The rules are those of fluentd's
-- audit_events.rb. Where an event ends follows from its own records, and from when each came into the journal: what it is made
-- of is the same wherever reading began, also where what was before is gone. (What alone ends it otherwise, that nothing came
-- for a while or that too many are held, is the same for who reads on from a `mark`; the former is saved before it does.)
local AuditEvents = {}
AuditEvents.__index = AuditEvents

-- From an event's first record on, as the journal's entries have the time; where nothing more comes, since the last record
-- has arrived: so the same journal makes the same events, at whatever speed it is read. Measured from an event's first record
-- to its last: 0.7 s in 999 of 1,000, 2.7 s at most. MISSING: while there are less PATH records than its SYSCALL's items= says.
local SETTLED, MISSING = 1, 4
-- In microseconds. Set back by less, the clock stands still until it is where it was; by more, it goes on from there.
local BACK = 5000000
-- Held at a time; ended events whose number of records is remembered, and those of them to which something is missing.
local HELD, ENDED, BROKEN = 2048, 3000, 65
-- The text of those that are held together, in bytes: an event may have megabytes of arguments.
local BYTES = 32000000
-- Names to values, at most `limit` of them: the oldest goes. `order` is a ring. (Lua counts a table's entries again for
-- each that comes, when it is full: so no limit is a power of two, or just below one.)
local Recent = {}
Recent.__index = Recent
function Recent.new(limit) return setmetatable({ limit = limit, of = {}, at = {}, order = {}, last = 0 }, Recent) end
function Recent:set(name, value)
  local last = self.last + 1
  local slot = last % self.limit
  local old = self.order[slot]
  if old and self.at[old] == last - self.limit then self.of[old], self.at[old] = nil, nil end
  self.order[slot], self.of[name], self.at[name], self.last = name, value, last, last
end
function Recent:get(name) return self.of[name] end
function Recent:drop(name) self.of[name], self.at[name] = nil, nil end
-- All of them, the oldest first, a line for those of a boot: KIND BOOT SERIAL:VALUE SERIAL:VALUE ...
function Recent:add_lines(lines, kind)
  local boot, line
  for i = math.max(1, self.last - self.limit + 1), self.last do
    local name = self.order[i % self.limit]
    if self.at[name] == i then
      local of, serial = name:match('^(.*)-(.*)$')
      if of ~= boot then
        if line then lines[#lines + 1] = table.concat(line, ' ') end
        boot, line = of, { kind, of }
      end
      line[#line + 1] = serial .. ':' .. self.of[name]
    end
  end
  if line then lines[#lines + 1] = table.concat(line, ' ') end
end

local NONE = {}
-- What is in quotes has no blank there, so that none of them has a program's msg='.
local KERNEL = { SYSCALL = true, PATH = true, CWD = true, EXECVE = true }

-- Each kind of line that `memory` has: what is made of it.
local LINES = {}
local function recent(of)
  return function(self, rest)
    -- As the version before wrote it: an event a line.
    local id, count = rest:match('^(%S+%-%d+) (%d+)$')
    if id then return self[of]:set(id, tonumber(count)) end
    local boot, all = rest:match('^(%S+) (.*)$')
    for serial, count in all:gmatch('(%d+):(%d+)') do self[of]:set(boot .. '-' .. serial, tonumber(count)) end
  end
end
LINES.ended, LINES.broken = recent('ended'), recent('broken')
-- As the version before wrote it: an event of which so much was read, and sent.
function LINES.again(self, rest)
  local id, read = rest:match('^(%S+) (%d+)')
  self.ended:set(id, tonumber(read))
end
function LINES.time(self, rest)
  local came, time = rest:match('^(%d+) (%d+)$')
  self.came, self.time = tonumber(came), tonumber(time)
end
function LINES.boot(self, rest) self.boot = rest end
-- Of an event that was sent: its records that come again end it where they ended it, and are not sent again.
function LINES.held(self, rest)
  local id, first, size, items, paths, began, bytes = rest:match('^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) ?(%d*)')
  self:hold({ id = id, sent = true, first = tonumber(first), size = tonumber(size), items = tonumber(items),
    paths = tonumber(paths), began = tonumber(began), bytes = tonumber(bytes) or 0, whole = true })
end
-- When so many records had come, it ended because nothing more came.
function LINES.quiet(self, rest)
  local at, id = rest:match('^(%d+) (%S+)$')
  at = tonumber(at)
  self.cuts[at] = self.cuts[at] or {}
  table.insert(self.cuts[at], id)
end

-- memory: what `memory` gave an earlier one.
function AuditEvents.new(memory)
  local self = setmetatable({ held = {}, order = {}, oldest = 1, latest = 0, count = 0, bytes = 0, came = 0, time = 0,
    arrived = 0, ended = Recent.new(ENDED), broken = Recent.new(BROKEN), read = 0, cuts = {}, decided = {} }, AuditEvents)
  for kind, rest in (memory or ''):gmatch('(%a+) ([^\n]*)\n') do if LINES[kind] then LINES[kind](self, rest) end end
  self.begin = { text = memory or '', read = 0, decided = 0, held = {} }
  self:cut()
  return self
end

function AuditEvents:hold(event)
  self.held[event.id] = event
  self.latest = self.latest + 1
  self.order[self.latest] = event.id
  self.count, self.bytes = self.count + 1, self.bytes + event.bytes
  return event
end

-- The journal's time: it goes on with the highest that was seen.
function AuditEvents:go_on(came)
  if came > self.came then
    if self.came > 0 then self.time = self.time + came - self.came end
    self.came = came
  elseif self.came - came > BACK then
    self.came = came
  end
end

-- Another record: its boot, event, type, text; `written`: the event's time, `came`: when it came into the journal, both in
-- microseconds; `now`: of arrival here, in seconds. Gives the events that end with it, often none.
function AuditEvents:add(boot, id, type, text, written, came, now)
  local done
  -- Of what is held from another boot nothing comes any more.
  if boot ~= self.boot then
    self.boot = boot
    done = self:give_up_oldest(true)
  end
  self.arrived = now
  self.read = self.read + 1
  self:go_on(came)
  local event = self.held[id]
  -- Whatever is held beside it.
  if event and self:is_over(event) then
    done = self:give_up(event, done)
    event = nil
  end
  event = event or self:hold({ id = id, written = written, records = {}, first = self:first(id), size = 0, items = 0, paths = 0,
    bytes = 0, began = self.time, whole = true })
  if self:put(event, type, text) then done = self:finish(event, done) end
  done = self:give_up_oldest(false, done)
  if self.cuts[self.read] then done = self:cut(done) end
  return done or NONE
end

-- What a SYSCALL's items= says. A text is looked for faster than a pattern.
local function items_of(text)
  local at = text:find(' items=', 1, true)
  if not at then return 0 end
  local digit, after = text:byte(at + 7, at + 8)
  if after == 32 and digit >= 48 and digit <= 57 then return digit - 48 end
  return tonumber(text:match(' items=(%d+)', at) or 0)
end

-- Whether it ends the event.
function AuditEvents:put(event, type, text)
  if type == 'EOE' then return true end
  local size = event.size + 1
  event.size, event.bytes, self.bytes = size, event.bytes + #text, self.bytes + #text
  if event.records then event.records[size] = { type, text } end
  if type == 'PATH' then
    event.paths = event.paths + 1
  elseif type == 'PROCTITLE' then
    return true
  elseif type == 'SYSCALL' then
    event.items = items_of(text)
  end
  return not KERNEL[type] and text:find(" msg='", 1, true) ~= nil
end

-- From the oldest on, as many as are over by the journal's time, and where too many are held; or all. Added to `done`; nil: none.
function AuditEvents:give_up_oldest(all, done)
  while self.oldest <= self.latest do
    local event = self.held[self.order[self.oldest]]
    if event then
      if not (all or self:is_over(event) or self.count > HELD or self.bytes > BYTES) then break end
      done = self:give_up(event, done)
    end
    self.order[self.oldest] = nil
    self.oldest = self.oldest + 1
  end
  return done
end

-- Those whose time is over because nothing more has come: they end with `expire`, after `memory` is saved.
function AuditEvents:quiet(now)
  local found = {}
  for i = self.oldest, self.latest do
    local event = self.held[self.order[i]]
    if event and now - self.arrived >= self:limit(event) then found[#found + 1] = event end
  end
  for _, event in ipairs(found) do table.insert(self.decided, { at = self.read, id = event.id }) end
  return found
end

function AuditEvents:expire(found)
  local done
  for _, event in ipairs(found) do done = self:give_up(event, done) end
  return done or NONE
end

-- What could not be saved.
function AuditEvents:take_back(found)
  for _ = 1, #found do table.remove(self.decided) end
end

-- What an earlier one had ended here because nothing came.
function AuditEvents:cut(done)
  for _, id in ipairs(self.cuts[self.read] or {}) do
    if self.held[id] then done = self:give_up(self.held[id], done) end
  end
  self.cuts[self.read] = nil
  return done
end

function AuditEvents:give_up(event, done)
  -- None at all: a node may have no such records.
  event.whole = event.paths >= event.items or event.paths == 0
  return self:finish(event, done)
end

-- What another one has to know to go on after the records up to now: `mark` now, `memory` of it when it does not wait any more.
-- more: lines of others.
function AuditEvents:mark(more)
  local lines, held = { ('time %d %d'):format(self.came, self.time) }, {}
  if self.boot then lines[#lines + 1] = 'boot ' .. self.boot end
  self.ended:add_lines(lines, 'ended')
  self.broken:add_lines(lines, 'broken')
  for i = self.oldest, self.latest do
    local event = self.held[self.order[i]]
    if event then
      held[event] = not event.sent or nil
      lines[#lines + 1] = ('held %s %d %d %d %d %d %d'):format(event.id, event.first, event.size, event.items, event.paths,
        event.began, event.bytes)
    end
  end
  for at, ids in pairs(self.cuts) do
    for _, id in ipairs(ids) do lines[#lines + 1] = ('quiet %d %s'):format(at - self.read, id) end
  end
  return { text = table.concat(lines, '\n') .. '\n' .. (more or ''), read = self.read, decided = #self.decided, held = held }
end

-- For events that were held then and are not sent.
function AuditEvents:waits(mark)
  for event in pairs(mark.held) do if self.held[event.id] == event then return true end end
  return false
end

-- Nothing before it is asked for any more.
function AuditEvents:saved(mark)
  for _ = 1, mark.decided do table.remove(self.decided, 1) end
  mark.decided = 0
end

-- Of a mark, `begin` or one that does not wait any more.
function AuditEvents:memory(mark)
  local lines = { mark.text }
  for i = mark.decided + 1, #self.decided do
    local one = self.decided[i]
    lines[#lines + 1] = ('quiet %d %s\n'):format(one.at - mark.read, one.id)
  end
  return table.concat(lines)
end

function AuditEvents:first(id) return self.ended:get(id) or self.broken:get(id) or 0 end

function AuditEvents:limit(event) return event.items > event.paths and MISSING or SETTLED end

function AuditEvents:is_over(event) return self.time - event.began >= self:limit(event) * 1000000 end

-- Adds it to `done`, but for what was sent before.
function AuditEvents:finish(event, done)
  self.held[event.id] = nil
  self.count, self.bytes = self.count - 1, self.bytes - event.bytes
  local kept, other = self.ended, self.broken
  if not event.whole then kept, other = other, kept end
  other:drop(event.id)
  kept:set(event.id, event.first + event.size)
  if event.sent then return done end
  done = done or {}
  done[#done + 1] = event
  return done
end

return AuditEvents
