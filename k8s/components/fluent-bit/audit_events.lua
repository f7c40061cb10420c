-- Puts the records of an event together, which come in the kernel's order with those of other events between them.
-- Nothing in the journal ends an event: it is whole when as many PATH records are there as its SYSCALL's items= says
-- (and PROCTITLE after them, on a node that has such), when a program sent it, or when its time is over. What comes
-- later is a part of its own, which goes on counting where the event ended. The rules are those of fluentd's
-- audit_events.rb; what is held, and what is known of ended events, is saved in another way (`mark`).
local AuditEvents = {}
AuditEvents.__index = AuditEvents

-- In the journal's own time, and where nothing more comes, since the last record has arrived: so the same journal makes the
-- same events, at whatever speed it is read. Measured from an event's first record to its last: 0.7 s in 999 of 1,000,
-- 2.7 s at most.
local SETTLED, MISSING = 1, 4
-- In microseconds, more than events overtake each other: the clock was set back.
local BACK = 5000000
-- Held at a time, and ended events whose number of records is remembered.
local HELD, ENDED = 2048, 3000
-- Ended events that are saved: all to which something is missing, and those that something may still belong to.
local SAVED = 64
-- So many events without a kind of record, and none waits for it any more.
local PATIENCE = 256

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
-- The latest n, the oldest of them first.
function Recent:latest(n)
  local found = {}
  for i = self.last, math.max(1, self.last - self.limit + 1), -1 do
    local name = self.order[i % self.limit]
    if self.at[name] == i then table.insert(found, 1, { name, self.of[name] }) end
    if #found == n then break end
  end
  return found
end

local NONE = {}

-- memory: what `mark` gave an earlier one.
function AuditEvents.new(memory)
  local self = setmetatable({ held = {}, order = {}, oldest = 1, latest = 0, count = 0, written = 0,
    ended = Recent.new(ENDED), broken = Recent.new(SAVED), again = {}, path = PATIENCE, title = 0 }, AuditEvents)
  for kind, name, value, more in (memory or ''):gmatch('(%a+) (%S+) (%d+) ?(%d*)\n') do
    if kind == 'ended' then self.ended:set(name, tonumber(value)) end
    if kind == 'broken' then self.broken:set(name, tonumber(value)) end
    if kind == 'again' then self:read_again(name, tonumber(value), tonumber(more)) end
    if kind == 'expect' and name == 'PATH' then self.path = tonumber(value) end
    if kind == 'expect' and name == 'PROCTITLE' then self.title = tonumber(value) end
  end
  return self
end

-- Of what was sent, so much was read before. All of it: an event that has ended.
function AuditEvents:read_again(id, read, sent)
  if read < sent then self.again[id] = { read = read, sent = sent } else self.ended:set(id, sent) end
end

-- Before the first record of another boot is added: the events that are held, of which nothing comes any more. nil: none.
function AuditEvents:boot_of(id)
  if id == self.boot then return nil end
  self.boot = id
  return self:give_up_oldest(true)
end

-- Another record: its event, type, text; `written`: the event's time, in microseconds; `now`: of arrival, in seconds.
-- Gives the events that end with it, often none.
function AuditEvents:add(id, type, text, written, now)
  local done = self:boot_of(id:sub(1, 32))
  local again = self.again[id]
  if again then
    -- Read a second time: what was sent before is not sent again.
    again.read = again.read + 1
    if again.read >= again.sent then
      self.again[id] = nil
      self.ended:set(id, again.sent)
    end
    if again.read <= again.sent then return done or NONE end
  end
  local event = self.held[id]
  if not event then
    event = { id = id, written = written, records = {}, first = self:first(id), items = 0, paths = 0, whole = true }
    self.held[id] = event
    self.latest = self.latest + 1
    self.order[self.latest] = id
    self.count = self.count + 1
  end
  self.arrived = now
  if written > self.written or self.written - written > BACK then self.written = written end
  if type == 'PATH' then self.path = PATIENCE elseif type == 'PROCTITLE' then self.title = PATIENCE end
  local ended = type == 'EOE'
  if not ended then
    event.records[#event.records + 1] = { type, text }
    if type == 'SYSCALL' then
      event.items = tonumber(text:match(' items=(%d+)') or 0)
    elseif type == 'PATH' then
      event.paths = event.paths + 1
    end
    ended = self:is_whole(event, type, text)
  end
  if ended then
    done = done or {}
    done[#done + 1] = self:finish(event)
  end
  return self:give_up_oldest(false, done) or NONE
end

-- From the oldest on, as many as are over by the journal's time, and where too many are held; or all. Added to `done`; nil: none.
function AuditEvents:give_up_oldest(all, done)
  while self.oldest <= self.latest do
    local event = self.held[self.order[self.oldest]]
    if event then
      if not (all or self:is_over(event) or self.count > HELD) then break end
      done = done or {}
      done[#done + 1] = self:give_up(event)
    end
    self.order[self.oldest] = nil
    self.oldest = self.oldest + 1
  end
  return done
end

-- Those whose time is over because nothing more has come.
function AuditEvents:expired(now)
  local done = {}
  for i = self.oldest, self.latest do
    local event = self.held[self.order[i]]
    if event and now - self.arrived >= self:limit(event) then done[#done + 1] = self:give_up(event) end
  end
  return done
end

function AuditEvents:give_up(event)
  event.whole = event.paths >= event.items or self.path == 0
  if not event.whole and event.paths == 0 then self.path = self.path - 1 end
  return self:finish(event)
end

-- What another one has to know to go on after the records up to now: `mark` now, `memory` of it when all events that
-- were held are sent.
function AuditEvents:mark()
  local lines, held = {}, {}
  for _, of in ipairs(self.ended:latest(SAVED)) do lines[#lines + 1] = ('ended %s %d\n'):format(of[1], of[2]) end
  for _, of in ipairs(self.broken:latest(SAVED)) do lines[#lines + 1] = ('broken %s %d\n'):format(of[1], of[2]) end
  -- Not read again until their end; of an earlier boot no more comes.
  for id, of in pairs(self.again) do
    if not self.boot or id:sub(1, 32) == self.boot then lines[#lines + 1] = ('again %s %d %d\n'):format(id, of.read, of.sent) end
  end
  lines[#lines + 1] = ('expect PATH %d\nexpect PROCTITLE %d\n'):format(self.path, self.title)
  for _, event in pairs(self.held) do held[event] = event.first + #event.records end
  return { text = table.concat(lines), held = held }
end

-- nil while one of them is held.
function AuditEvents:memory(mark)
  local lines = { mark.text }
  for event, read in pairs(mark.held) do
    if self.held[event.id] == event then return nil end
    lines[#lines + 1] = ('again %s %d %d\n'):format(event.id, read, self:first(event.id))
  end
  return table.concat(lines)
end

function AuditEvents:first(id)
  local again = self.again[id]
  return again and again.sent or self.ended:get(id) or self.broken:get(id) or 0
end

function AuditEvents:is_whole(event, type, text)
  if type == 'PROCTITLE' or text:find(" msg='", 1, true) then return true end
  return event.items > 0 and event.paths >= event.items and self.title == 0
end

function AuditEvents:limit(event) return event.items > event.paths and self.path > 0 and MISSING or SETTLED end

function AuditEvents:is_over(event) return self.written - event.written >= self:limit(event) * 1000000 end

function AuditEvents:finish(event)
  self.held[event.id] = nil
  self.count = self.count - 1
  local count = event.first + #event.records
  local kept = event.whole and self.ended or self.broken
  kept:set(event.id, count)
  local last = event.records[#event.records]
  if last and last[1] ~= 'PROCTITLE' and event.items > 0 and self.title > 0 then self.title = self.title - 1 end
  return event
end

return AuditEvents
