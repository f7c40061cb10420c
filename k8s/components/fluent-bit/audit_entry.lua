-- One event, one entry: the records of an event as one object. k8s/entry.schema.json says what is in it. fluentd's
-- audit_entry.rb has the same functions in the same order.
local audit_table = require('audit_table')
local AuditArguments = require('audit_arguments')
local AuditRecord = require('audit_record')
local AuditText = require('audit_text')
local AuditEntry = {}
local array, map = AuditText.array, AuditText.map
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
local QUIET = { INTEGRITY_RULE = true, INTEGRITY_POLICY_RULE = true }

-- The entries of an event: one, or several where it is too large. `records` are { type, text } each, in order, the
-- first of them the event's record number `first`; `whole`: these are all.
function AuditEntry.all(event, records, first, whole)
  return AuditEntry.parts(records, first, whole, function(part, at) return AuditEntry.new(event, part, at):to_table() end)
end

-- The same without a look into the records: of an event that `all` fails on.
function AuditEntry.bare(event, records, first, whole)
  return AuditEntry.parts(records, first, whole, function(part, at)
    local types, texts = {}, {}
    for i, record in ipairs(part) do types[i], texts[i] = record[1], { type = record[1], text = record[2] } end
    return { format = FORMAT, event = event, part = at, type = types, records = texts, severity = 'WARNING',
      id = event .. '-' .. (at or 0) }
  end)
end

-- at: the index of a part's first record; nil: it has all.
function AuditEntry.parts(records, first, whole, make)
  local cut = AuditEntry.cut(records)
  local parts = #cut > 1 or first > 0 or not whole
  local entries = {}
  for i, part in ipairs(cut) do
    entries[i] = make(part, parts and first or nil)
    first = first + #part
  end
  return entries
end

-- The same cuts for the same records.
function AuditEntry.cut(records)
  local size, parts, part = 0, {}, nil
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
  local self = setmetatable({ top = {}, paths = array({}), nested = array({}), severity = 'INFO', event = event, part = part,
    records = records }, AuditEntry)
  for _, record in ipairs(records) do if record[1] == 'SYSCALL' then self.syscall = true end end
  for _, record in ipairs(records) do self:add(record[1], record[2]) end
  return self
end

function AuditEntry:to_table()
  local top, arguments = self.top, self.arguments
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
    self.arguments = self.arguments or AuditArguments.new()
    if not self.arguments:add(text) then self:nest(type, { text = text }) end
  elseif type == 'PATH' then
    self.paths[#self.paths + 1] = map(AuditRecord.fields(type, text, #self.paths))
  else
    self:place(type, AuditRecord.fields(type, text))
  end
  if not OWN_PLACE[type] then self:note_severity(type, text) end
end

-- At the top, where nothing else is called so; else in the list.
function AuditEntry:place(type, fields)
  if fields.text ~= nil then return self:nest(type, fields) end
  if type == 'SOCKADDR' then return self:address(type, fields) end
  if not self:is_top(type) then return self:nest(type, fields) end
  -- The first that there is, most often SYSCALL, need not be copied.
  if PLAIN[type] and next(self.top) == nil then
    self.top = fields
    return
  end
  for name in pairs(fields) do
    if OWN_NAMES[name] or self.top[name] ~= nil then return self:nest(type, fields) end
  end
  if not OWN_PLACE[type] then self.first = type end
  for name, value in pairs(fields) do self.top[name] = value end
end

function AuditEntry:is_top(type)
  return OWN_PLACE[type] or
    (not self.syscall and not self.first and #self.nested == 0 and audit_table.place[type] ~= 'nested')
end

function AuditEntry:address(type, fields)
  if self.top.sockaddr ~= nil then return self:nest(type, fields) end
  self.top.sockaddr = fields.saddr
end

function AuditEntry:nest(type, fields)
  fields.type = type
  self.nested[#self.nested + 1] = map(fields)
end

-- Each once where those of a type follow each other; all where one comes back. EXECVE is one.
function AuditEntry:types()
  local runs, seen, twice, last = array({}), {}, false, nil
  for _, record in ipairs(self.records) do
    local kind = record[1]
    if kind ~= last then
      twice = twice or seen[kind]
      seen[kind] = true
      runs[#runs + 1] = kind
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
  if type:find('^ANOM_') or type == 'SELINUX_ERR' or type == 'USER_SELINUX_ERR' then return 'WARNING' end
  if type:find('^INTEGRITY_') and not QUIET[type] then return 'WARNING' end
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
