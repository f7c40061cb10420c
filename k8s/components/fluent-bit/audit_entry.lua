-- One event, one entry: the records of an event as one object. k8s/entry.schema.json says what is in it. fluentd's
-- audit_entry.rb has the same functions in the same order.
local audit_table = require('audit_table')
local AuditArguments = require('audit_arguments')
local AuditRecord = require('audit_record')
local AuditText = require('audit_text')
local AuditEntry = {}
local array, map, sub = AuditText.array, AuditText.map, string.sub
AuditEntry.__index = AuditEntry

local FORMAT = 1
-- The text of so many records becomes one entry: with each byte written as \u0000 it is still below the 256 kB that
-- Cloud Logging takes. More is cut between two records.
local CUT = 75000
-- Types that have a place of their own, whatever else is there.
local OWN_PLACE = {}
for type, place in pairs(audit_table.place) do if place ~= 'nested' then OWN_PLACE[type] = place end end
-- Names that a record's field at the top must not have.
local OWN_NAMES = {}
for name in ([[format event host part type severity id argv argc argv_at argv_piece argv_length paths sockaddr records
  class container text left_out]]):gmatch('%S+') do OWN_NAMES[name] = true end
-- Types whose rows have none of them, nor fields of a program's.
local PLAIN = {}
for type in pairs(OWN_PLACE) do
  PLAIN[type] = true
  for _, row in ipairs(audit_table.rows[type] or {}) do if OWN_NAMES[row[1]] or row[2] == 'msg' then PLAIN[type] = nil end end
end
-- Types whose res= is the answer to somebody who asked for access or for a change.
local RESULT_TYPES = { USER_AUTH = true, USER_ACCT = true, USER_LOGIN = true, USER_ERR = true, CRED_ACQ = true,
  CONFIG_CHANGE = true, FEATURE_CHANGE = true }
local NONE = {}
local QUIET = { INTEGRITY_RULE = true, INTEGRITY_POLICY_RULE = true }

-- The entries of an event: one, or several where it is too large. `records` are { type, text } each, in order, the
-- first of them the event's record number `first`; `whole`: these are all.
function AuditEntry.all(event, records, first, whole)
  return AuditEntry.parts(event, records, first, whole, AuditEntry.make)
end
function AuditEntry.make(event, part, at) return AuditEntry.new(event, part, at):to_table() end

-- The same without a look into the records: of an event that `all` fails on.
function AuditEntry.bare(event, records, first, whole)
  return AuditEntry.parts(event, records, first, whole, AuditEntry.make_bare)
end
function AuditEntry.make_bare(event, part, at)
  local types, texts = {}, {}
  for i, record in ipairs(part) do types[i], texts[i] = record[1], { type = record[1], text = record[2] } end
  return { format = FORMAT, event = event, part = at, type = types, records = texts, severity = 'WARNING',
    id = event .. '-' .. (at or 0) }
end

-- at: the index of a part's first record; nil: it has all.
function AuditEntry.parts(event, records, first, whole, make)
  local cut = AuditEntry.cut(records)
  local parts = #cut > 1 or first > 0 or not whole
  local entries = {}
  for i, part in ipairs(cut) do
    entries[i] = make(event, part, parts and first or nil)
    first = first + #part
  end
  return entries
end

-- The same cuts for the same records.
function AuditEntry.cut(records)
  local size, parts, part = 0, {}, nil
  for i = 1, #records do size = size + #records[i][2] end
  if size <= CUT and #records > 0 then return { records } end
  size = 0
  for i, record in ipairs(records) do
    if not part or size + #record[2] > CUT then
      part = {}
      parts[#parts + 1] = part
      size = 0
    end
    part[#part + 1] = record
    size = size + #record[2]
  end
  return parts
end

-- part: the index of its first record; nil: all are there.
function AuditEntry.new(event, records, part)
  local self = setmetatable({ top = nil, paths = NONE, nested = NONE, severity = 'INFO', event = event, part = part,
    records = records, syscall = false, arguments = nil, execve = nil, first = nil }, AuditEntry)
  for i = 1, #records do if records[i][1] == 'SYSCALL' then self.syscall = true end end
  for i = 1, #records do self:add(records[i][1], records[i][2]) end
  return self
end

function AuditEntry:to_table()
  local top, arguments = self.top or {}, self.arguments
  if top.items == #self.paths then top.items = nil end
  if arguments then
    arguments:add_to(top)
    if type(top.proctitle) == 'table' and arguments:is_title(top.proctitle) then top.proctitle = nil end
  end
  top.format, top.event, top.part, top.type = FORMAT, self.event, self.part, self:types()
  if #self.paths > 0 then top.paths = self.paths end
  if #self.nested > 0 then top.records = self.nested end
  top.severity = self.severity
  top.id = self.event .. '-' .. (self.part or 0)
  return map(top)
end

function AuditEntry:add(type, text)
  if type == 'EXECVE' then
    if not self:add_arguments(text) then self:nest(type, { text = text }) end
  elseif type == 'PATH' then
    if self.paths == NONE then self.paths = array({}) end
    local item = #self.paths
    self.paths[item + 1] = map(AuditRecord.fields(type, text, item))
  else
    self:place(type, AuditRecord.fields(type, text))
  end
  if not OWN_PLACE[type] then self:note_severity(type, text) end
end

-- Of most programs there is one record, whose arguments are remembered: of several they are put together anew.
function AuditEntry:add_arguments(text)
  if not self.arguments then
    self.arguments, self.execve = AuditArguments.of(text), text
    if self.arguments then return true end
  elseif self.execve then
    self.arguments = AuditArguments.new()
    self.arguments:add(self.execve)
  end
  self.execve = nil
  self.arguments = self.arguments or AuditArguments.new()
  return self.arguments:add(text)
end

-- At the top, where nothing else is called so; else in the list.
function AuditEntry:place(type, fields)
  if fields.text ~= nil then return self:nest(type, fields) end
  if type == 'SOCKADDR' then return self:put(type, fields, 'sockaddr', fields.saddr) end
  if not self:is_top(type) then return self:nest(type, fields) end
  local alone = AuditRecord.alone[type]
  if alone then return self:put(type, fields, alone, fields[alone]) end
  -- The first that there is, most often SYSCALL, need not be copied.
  if PLAIN[type] and not self.top then
    self.top = fields
    return
  end
  self.top = self.top or {}
  for name in pairs(fields) do
    if OWN_NAMES[name] or self.top[name] ~= nil then return self:nest(type, fields) end
  end
  if not OWN_PLACE[type] then self.first = type end
  for name, value in pairs(fields) do self.top[name] = value end
end

-- The one thing that a record says.
function AuditEntry:put(type, fields, name, value)
  self.top = self.top or {}
  if self.top[name] ~= nil then return self:nest(type, fields) end
  self.top[name] = value
end

function AuditEntry:is_top(type)
  return OWN_PLACE[type] or
    (not self.syscall and not self.first and #self.nested == 0 and audit_table.place[type] ~= 'nested')
end

function AuditEntry:nest(type, fields)
  if AuditRecord.alone[type] then
    local copy = {}
    for name, value in pairs(fields) do copy[name] = value end
    fields = copy
  end
  fields.type = type
  if self.nested == NONE then self.nested = array({}) end
  self.nested[#self.nested + 1] = map(fields)
end

-- Each once where those of a type follow each other; all where one comes back. EXECVE is one.
function AuditEntry:types()
  local runs, twice, last, count, records = array({}), false, nil, 0, self.records
  for i = 1, #records do
    local kind = records[i][1]
    if kind ~= last then
      -- Of few types, until one comes back.
      for k = 1, twice and 0 or count do if runs[k] == kind then twice = true end end
      count = count + 1
      runs[count] = kind
    end
    last = kind
  end
  if not twice then return runs end
  local all
  all, last = {}, nil
  for _, record in ipairs(self.records) do
    if record[1] ~= 'EXECVE' or last ~= 'EXECVE' then all[#all + 1] = record[1] end
    last = record[1]
  end
  return all
end

-- nil: nothing special.
local function severity(type, text)
  if sub(type, 1, 5) == 'ANOM_' or type == 'SELINUX_ERR' or type == 'USER_SELINUX_ERR' then return 'WARNING' end
  if sub(type, 1, 10) == 'INTEGRITY_' and not QUIET[type] then return 'WARNING' end
  if type == 'AVC' or type == 'USER_AVC' or type == 'APPARMOR_DENIED' then
    if type == 'APPARMOR_DENIED' or text:find('%f[%w_]apparmor="DENIED"') or text:find('%f[%w_]denied%f[^%w_]') then
      return 'WARNING'
    end
    return text:find('apparmor="STATUS"', 1, true) and 'NOTICE' or nil
  end
  if RESULT_TYPES[type] then
    if text:find('%f[%w_]res=0%f[^%w_]') or text:find('%f[%w_]res=failed%f[^%w_]') then return 'WARNING' end
    return type:find('_CHANGE$') and 'NOTICE' or nil
  end
end

function AuditEntry:note_severity(type, text)
  local found = severity(type, text)
  if found == 'WARNING' or (found and self.severity == 'INFO') then self.severity = found end
end

return AuditEntry
