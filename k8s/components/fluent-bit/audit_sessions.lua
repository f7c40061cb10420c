-- Which container a session is of: by the login uid, and by the records that the runtime's wrapper sends at starts
-- (AUDIT_VIRT_CONTROL). What is known lies beside the cursor, so that a start record is needed once. fluentd's
-- audit_sessions.rb has the same functions in the same order.
local AuditRecord = require('audit_record')
local AuditSessions = {}
AuditSessions.__index = AuditSessions

local NULL = AuditRecord.NULL
-- The highest four bits of the login uid; below them 28 of the container's id.
local CLASSES = { [0xC] = 'container', [0xD] = 'exec', [0xE] = 'terminal' }
local BITS = 0x10000000
-- Of containers themselves, and of what was started in them later: probes do not push containers out.
local OWN, LATER = 1000, 3000
local NAMES = { name = 'container', pod = 'pod', namespace = 'namespace', pod_uid = 'uuid' }

-- Values by session, the oldest first. `forgotten`: the highest session that had to go for its limit.
local function new_map(limit) return { limit = limit, of = {}, order = {}, first = 1, last = 0, count = 0, forgotten = 0 } end
local function forget(map, ses)
  if map.of[ses] then
    map.of[ses] = nil
    map.count = map.count - 1
  end
end
local function set(map, ses, what)
  forget(map, ses)
  map.last = map.last + 1
  map.order[map.last] = ses
  map.of[ses] = { what = what, at = map.last }
  map.count = map.count + 1
  while map.count > map.limit or map.order[map.first] and not map.of[map.order[map.first]] do
    local old = map.order[map.first]
    if map.of[old] and map.of[old].at == map.first then
      forget(map, old)
      map.forgotten = math.max(map.forgotten, old)
    end
    map.order[map.first] = nil
    map.first = map.first + 1
  end
end
local function get(map, ses) return map.of[ses] and map.of[ses].what end

-- state: state.lua.
function AuditSessions.new(state)
  local self = setmetatable({ state = state, own = new_map(OWN), later = new_map(LATER), unsaved = {}, lines = 0 }, AuditSessions)
  self:load()
  return self
end

-- Adds class and container to an entry.
function AuditSessions:name(entry)
  local about = entry.auid ~= nil and entry
  local start
  for _, record in ipairs(entry.records or {}) do
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
  if self.lines > 2 * (OWN + LATER) then return self:rewrite() end
  local ok, why = self.state.append(self.state.sessions, table.concat(self.unsaved))
  if ok then
    self.lines = self.lines + #self.unsaved
    self.unsaved = {}
  end
  return ok, why
end

-- What the login uid has of an id; nil for one that is not hexadecimal, of which it has a hash.
local function digits(id)
  local found = id:match('^%x%x%x%x%x%x%x+$')
  return found and found:sub(1, 7):lower()
end

-- Sessions are counted anew with each boot.
function AuditSessions:boot_of(id)
  if id == self.boot then return end
  self.own, self.later = new_map(OWN), new_map(LATER)
  self:note({ boot = id })
  self.boot = id
end

local FIELDS = { 'boot', 'forgotten', 'ses', 'id', 'pid', 'later', 'name', 'pod', 'namespace', 'pod_uid' }
function AuditSessions:note(what)
  local line = {}
  for _, field in ipairs(FIELDS) do
    if what[field] ~= nil and what[field] ~= NULL then
      line[#line + 1] = field .. '=' .. tostring(what[field]):gsub('[%%%c]', function(c) return ('%%%02x'):format(c:byte()) end)
    end
  end
  self.unsaved[#self.unsaved + 1] = table.concat(line, '\t') .. '\n'
end

function AuditSessions:of_session(ses, auid, pid)
  local number = ('%07x'):format(auid % BITS)
  local known = get(self.own, ses) or get(self.later, ses)
  if not known and ses ~= nil and ses ~= NULL then self:keep(ses, { pid = pid }) end
  if not (known and known.id and number == digits(known.id)) then return { id = number, source = 'auid' } end
  local container = self:names(known.id)
  container.source = 'start'
  return container
end

function AuditSessions:names(id)
  local container = { id = id }
  for i = self.own.first, self.own.last do
    local of = self.own.of[self.own.order[i]]
    if of and of.at == i and of.what.id == id then
      for name in pairs(NAMES) do container[name] = of.what[name] end
      break
    end
  end
  return container
end

function AuditSessions:started(record, kind)
  local vm = record.vm ~= nil and record.vm ~= NULL and record.vm or nil
  local told = { id = vm or '' }
  for ours, theirs in pairs(NAMES) do if record[theirs] ~= NULL then told[ours] = record[theirs] end end
  local image = record.image ~= NULL and record.image or nil
  local source = 'claimed'
  if self:is_believed(record, kind, vm) then
    source = 'start'
    local later = record.exec == 'yes'
    self:keep(record.ses, later and { id = told.id, later = 'yes' } or told)
    if later then told = self:names(told.id) end
  end
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
function AuditSessions:is_believed(record, kind, vm)
  local known = get(self.own, record.ses) or get(self.later, record.ses)
  local wanted = record.terminal == 'yes' and 'terminal' or record.exec == 'yes' and 'exec' or 'container'
  -- The kernel counts sessions upward: of those up to one that is forgotten none begins any more.
  return record.op == 'start' and vm and kind == wanted and
    record.ses > math.max(self.own.forgotten, self.later.forgotten) and (not known or known.pid == record.pid) and
    digits(vm) == ('%07x'):format(record.auid % BITS) and is_runtime(record.subj)
end

function AuditSessions:keep(ses, what)
  self:remember(ses, what)
  local line = { ses = ses }
  for name, value in pairs(what) do line[name] = value end
  self:note(line)
end

function AuditSessions:remember(ses, what)
  forget(self.own, ses)
  forget(self.later, ses)
  set(what.id and not what.later and self.own or self.later, ses, what)
end

-- A last line that was not written whole belongs to records that are read again.
function AuditSessions:load()
  local text = self.state.read(self.state.sessions)
  if not text then return end
  for line in text:gmatch('([^\n]*)\n') do
    local what = {}
    for name, value in line:gmatch('(%w+_?%w*)=([^\t]*)') do
      what[name] = value:gsub('%%(%x%x)', function(h) return string.char(tonumber(h, 16)) end)
    end
    local ses = tonumber(what.ses)
    what.ses, what.pid = nil, tonumber(what.pid)
    if what.boot then
      self.boot = what.boot
      self.own, self.later = new_map(OWN), new_map(LATER)
      self.own.forgotten = tonumber(what.forgotten) or 0
    elseif ses then
      self:remember(ses, what)
    end
  end
  -- Else what is added to a line cut short would be lost with it.
  self:rewrite()
end

function AuditSessions:rewrite()
  self.unsaved = {}
  if self.boot then self:note({ boot = self.boot, forgotten = math.max(self.own.forgotten, self.later.forgotten) }) end
  for _, map in ipairs({ self.own, self.later }) do
    for i = map.first, map.last do
      local of = map.of[map.order[i]]
      if of and of.at == i then
        local line = { ses = map.order[i] }
        for name, value in pairs(of.what) do line[name] = value end
        self:note(line)
      end
    end
  end
  local lines = self.unsaved
  local ok, why = self.state.write(self.state.sessions, table.concat(lines))
  if ok then self.lines, self.unsaved = #lines, {} end
  return ok, why
end

return AuditSessions
