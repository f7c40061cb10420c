-- Which container a session is of: by the login uid, and by the records that the runtime's wrapper sends at starts
-- (AUDIT_VIRT_CONTROL). What is known lies beside the cursor, so that a start record is needed once. A line of that file has
-- the number of the mark that it was written before: with an earlier cursor it is not known yet, so that the same records
-- make the same entries when they are read again. fluentd's audit_sessions.rb has the same rules.
local AuditRecord = require('audit_record')
local AuditText = require('audit_text')
local AuditSessions = {}
AuditSessions.__index = AuditSessions

local NULL = AuditRecord.NULL
-- The highest four bits of the login uid; below them 28 of the container's id.
local CLASSES = { [0xC] = 'container', [0xD] = 'exec', [0xE] = 'terminal' }
local BITS = 0x10000000
-- Of containers themselves, and of what was started in them later: probes do not push containers out. Those go first that
-- were not used for longest.
local OWN, LATER = 1000, 3000
local NONE = {}
local NAMES = { name = 'container', pod = 'pod', namespace = 'namespace', pod_uid = 'uuid' }

-- Sessions in a ring, which begins and ends with the map itself: from the one that was not used for longest on.
local function new_map(limit)
  local map = { limit = limit, of = {}, count = 0 }
  map.prev, map.next = map, map
  return map
end
local function unlink(of) of.prev.next, of.next.prev = of.next, of.prev end
local function append(map, of)
  of.prev, of.next = map.prev, map
  map.prev.next, map.prev = of, of
end

-- state: state.lua. mark: the number of that of the cursor; nil: all that is known is.
function AuditSessions.new(state, mark)
  local self = setmetatable({ state = state, unsaved = {}, lines = 0, number = 0 }, AuditSessions)
  self:begin_boot(nil)
  self:load(mark)
  return self
end

-- What becomes known from now on is of the next number; gives that of what was up to now.
function AuditSessions:mark()
  if self.lines > 2 * (OWN + LATER) then self:gather() end
  self.number = self.number + 1
  return self.number - 1
end

-- Adds class and container to an entry. before: its event began before the last mark, and is not read again from there.
function AuditSessions:name(entry, before)
  self.of = before and self.number - 1 or self.number
  local about = entry.auid ~= nil and entry
  local start
  local records = entry.records or NONE
  for i = 1, #records do
    local record = records[i]
    if not about and record.auid ~= nil then about = record end
    if not start and record.type == 'VIRT_CONTROL' and record.virt == 'container' then start = record end
  end
  local auid = about and about.auid
  if auid == NULL then auid = nil end
  if not auid and not start then return end
  self:boot_of(entry.event:sub(1, 32))
  local kind = auid and CLASSES[math.floor(auid / BITS)]
  entry.class = kind
  if start then
    entry.container = self:started(start, kind)
  elseif kind then
    entry.container = self:of_session(about.ses, auid, about.pid)
  end
end

-- Before the cursor is.
function AuditSessions:save()
  if #self.unsaved == 0 then return true end
  local put = self.anew and self.state.write or self.state.append
  local ok, why = put(self.state.sessions, table.concat(self.unsaved), true)
  if ok then
    self.lines = (self.anew and 0 or self.lines) + #self.unsaved
    self.unsaved, self.anew = {}, false
  end
  return ok, why
end

-- What the login uid has of an id; false for one that is not hexadecimal, of which it has a hash.
local digits = AuditText.remember(1000, function(id)
  local found = id:match('^%x%x%x%x%x%x%x+$')
  return found and found:sub(1, 7):lower() or false
end)

-- Sessions are counted anew with each boot.
function AuditSessions:boot_of(id)
  if id == self.boot then return end
  self:begin_boot(id)
  self:note({ boot = id, mark = self.of })
end

-- `forgotten`: the highest session that had to go for a limit; `ids`: of a container the session of its own.
function AuditSessions:begin_boot(id, forgotten)
  self.boot, self.forgotten = id, forgotten or 0
  self.own, self.later, self.ids = new_map(OWN), new_map(LATER), {}
end

local FIELDS = { 'boot', 'forgotten', 'ses', 'id', 'pid', 'later', 'name', 'pod', 'namespace', 'pod_uid', 'image' }
function AuditSessions:note(what)
  local line = { 'mark=' .. what.mark }
  for _, field in ipairs(FIELDS) do
    if what[field] ~= nil and what[field] ~= NULL then
      line[#line + 1] = field .. '=' .. tostring(what[field]):gsub('[%%%c]', function(c) return ('%%%02x'):format(c:byte()) end)
    end
  end
  self.unsaved[#self.unsaved + 1] = table.concat(line, '\t') .. '\n'
end

-- What is known of a session, which is used with it.
function AuditSessions:known(ses)
  if ses == nil or ses == NULL then return nil end
  local map = self.own.of[ses] and self.own or self.later
  local of = map.of[ses]
  if not of then return nil end
  unlink(of)
  append(map, of)
  return of.what
end

function AuditSessions:of_session(ses, auid, pid)
  local number = ('%07x'):format(auid % BITS)
  local known = self:known(ses)
  if not known and ses ~= nil and ses ~= NULL then self:keep(ses, { pid = pid }) end
  if not (known and known.id and number == digits(known.id)) then return { id = number, source = 'auid' } end
  local container = self:names(known.id)
  container.source = 'start'
  return container
end

function AuditSessions:names(id)
  local container, own = { id = id }, self:known(self.ids[id])
  if own then
    container.name, container.pod = own.name, own.pod
    container.namespace, container.pod_uid = own.namespace, own.pod_uid
  end
  return container
end

local function is_same(what, known)
  for _, name in ipairs(FIELDS) do if what[name] ~= known[name] then return false end end
  return true
end

function AuditSessions:started(record, kind)
  local vm = record.vm ~= nil and record.vm ~= NULL and record.vm or nil
  local told = { id = vm or '' }
  for ours, theirs in pairs(NAMES) do if record[theirs] ~= NULL then told[ours] = record[theirs] end end
  local image = record.image ~= NULL and record.image or nil
  local later = record.exec == 'yes'
  local what = { id = told.id, later = later and 'yes' or nil, image = image, pid = record.pid }
  if not later then for name in pairs(NAMES) do what[name] = told[name] end end
  local known, source = self:known(record.ses), 'start'
  -- What was kept of this very record, which is read again.
  if not (known and is_same(what, known)) then
    if self:is_believed(record, kind, vm, known) then self:keep(record.ses, what) else source = 'claimed' end
  end
  if later and source == 'start' then told = self:names(told.id) end
  local container = { image = image, source = source }
  for name, value in pairs(told) do container[name] = value end
  return container
end

-- Of a container's process the kernel writes the container's profile, never these.
local function is_runtime(subj)
  return subj == nil or subj == NULL or subj == 'unconfined' or subj:find('^[^:]*:[^:]*:container_runtime_t$') or
    subj:find('^[^:]*:[^:]*:container_runtime_t:')
end

-- The first of its session, of the runtime, about the container that the login uid names.
function AuditSessions:is_believed(record, kind, vm, known)
  local wanted = record.terminal == 'yes' and 'terminal' or record.exec == 'yes' and 'exec' or 'container'
  -- The kernel counts sessions upward: of those up to one that is forgotten none begins any more.
  return record.op == 'start' and vm and kind == wanted and record.ses > self.forgotten and
    (not known or not known.id and known.pid == record.pid) and
    digits(vm) == ('%07x'):format(record.auid % BITS) and is_runtime(record.subj)
end

function AuditSessions:keep(ses, what)
  what.mark = self.of
  self:remember(ses, what)
  local line = { ses = ses }
  for name, value in pairs(what) do line[name] = value end
  self:note(line)
end

function AuditSessions:remember(ses, what)
  self:forget(ses)
  local own = what.id and not what.later
  local map, of = own and self.own or self.later, { ses = ses, what = what }
  map.of[ses] = of
  append(map, of)
  map.count = map.count + 1
  if own then self.ids[what.id] = ses end
  if map.count > map.limit then self.forgotten = math.max(self.forgotten, self:forget(map.next.ses)) end
end

function AuditSessions:forget(ses)
  for _, map in ipairs({ self.own, self.later }) do
    local of = map.of[ses]
    if of then
      unlink(of)
      map.of[ses], map.count = nil, map.count - 1
      if self.ids[of.what.id] == ses then self.ids[of.what.id] = nil end
    end
  end
  return ses
end

-- A last line that was not written whole belongs to records that are read again, as those do that a later mark has.
function AuditSessions:load(mark)
  local text = self.state.read(self.state.sessions)
  if not text then return end
  for line in text:gmatch('([^\n]*)\n') do
    local what = {}
    for name, value in line:gmatch('(%w+_?%w*)=([^\t]*)') do
      what[name] = value:gsub('%%(%x%x)', function(h) return string.char(tonumber(h, 16)) end)
    end
    what.mark = tonumber(what.mark) or 0
    if not mark or what.mark <= mark then self:loaded(what) end
  end
  if mark then self.number = mark + 1 end
  -- Else what is added to a line cut short would be lost with it.
  self:gather()
  self:save()
end

function AuditSessions:loaded(what)
  local ses = tonumber(what.ses)
  what.ses, what.pid = nil, tonumber(what.pid)
  self.number = math.max(self.number, what.mark + 1)
  if what.boot then
    self:begin_boot(what.boot, tonumber(what.forgotten))
  elseif ses then
    self:remember(ses, what)
  end
end

-- All that is known, instead of the file.
function AuditSessions:gather()
  self.unsaved, self.anew = {}, true
  if self.boot then self:note({ boot = self.boot, forgotten = self.forgotten, mark = 0 }) end
  for _, map in ipairs({ self.own, self.later }) do
    local of = map.next
    while of ~= map do
      local line = { ses = of.ses }
      for name, value in pairs(of.what) do line[name] = value end
      self:note(line)
      of = of.next
    end
  end
end

return AuditSessions
