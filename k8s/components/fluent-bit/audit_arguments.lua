-- EXECVE: the arguments of a program, which the kernel writes into one record or, when they are long, into many:
--   argc=3 a0="sh" a1="-c" a2_len=9000 a2[0]=6563... a2[1]=...
-- fluentd's audit_arguments.rb has the same functions in the same order.
local AuditText = require('audit_text')
local AuditArguments = {}
AuditArguments.__index = AuditArguments

local find, match = string.find, string.match
-- What the kernel takes off a command line's end: it cuts it after so many bytes.
local TITLE = 128

function AuditArguments.new()
  return setmetatable({ bytes = {}, lengths = {}, size = 0 }, AuditArguments)
end

-- Those of a record that is the only one, which are remembered, so nobody may add to them; false for one that is none.
AuditArguments.of = AuditText.remember(1000, function(text)
  local self = AuditArguments.new()
  return self:add(text) and self
end)

-- The text of one record; false for one that is none, of which nothing is taken.
function AuditArguments:add(text)
  local argc, at = match(text, '^argc=(%d+)()')
  if not argc then
    -- Of a second record the blank before its first name is not in the journal.
    text, at = ' ' .. match(text, '^%s*(.*)$'), 1
  end
  local found = {}
  while at <= #text do
    local _, _, index, name_end = find(text, '^ a(%d+)()', at)
    if not index then return false end
    local length, after = match(text, '^_len=(%d+)()', name_end)
    if length then
      found[#found + 1] = { tonumber(index), length = tonumber(length) }
    else
      local piece, raw
      piece, raw, after = match(text, '^%[(%d+)%]=(%S+)()', name_end)
      if not piece then raw, after = match(text, '^=(%S+)()', name_end) end
      if not raw or not (match(raw, '^"[!#-~]*"$') or match(raw, '^[0-9A-F]+$')) then return false end
      local bytes = AuditText.bytes(raw)
      if not bytes then return false end
      found[#found + 1] = { tonumber(index), piece = tonumber(piece or 0), bytes = bytes }
    end
    at = after
  end
  if argc then self.argc = tonumber(argc) end
  for i = 1, #found do
    local one = found[i]
    if one.length then self.lengths[one[1]] = one.length else self:argument(one[1], one.piece, one.bytes) end
  end
  return true
end

function AuditArguments:argument(index, piece, bytes)
  if not self.first then self.first, self.piece = index, piece end
  local place = index - self.first + 1
  self.bytes[place] = (self.bytes[place] or '') .. bytes
  if place > self.size then self.size = place end
end

-- Fields of an entry.
function AuditArguments:add_to(entry)
  if not (self.first or self.argc) then return end
  local at = self.first or 0
  if not self.argv then
    self.argv = AuditText.array({})
    for i = 1, self.size do self.argv[i] = AuditText.text(self.bytes[i] or '') end
  end
  entry.argv = self.argv
  if self.argc and (at > 0 or self.argc ~= self.size) then entry.argc = self.argc end
  if at > 0 then entry.argv_at = at end
  if self.piece and self.piece > 0 then entry.argv_piece = self.piece end
  local other
  for i, length in pairs(self.lengths) do
    local bytes = self.bytes[i - at + 1]
    if not bytes or #bytes ~= length then
      other = other or {}
      other[tostring(i)] = length
    end
  end
  entry.argv_length = other
end

-- Whether a title is what PROCTITLE would say: the first bytes, without what cannot be printed at the end.
function AuditArguments:is_title(title)
  if self.first ~= 0 or self.piece ~= 0 then return false end
  local parts = self.title or self:make_title()
  if #parts ~= #title then return false end
  for i = 1, #parts do if parts[i] ~= title[i] then return false end end
  return true
end

function AuditArguments:make_title()
  local all = {}
  for i = 1, self.size do all[i] = self.bytes[i] or '' end
  local bytes = table.concat(all, '\0'):sub(1, TITLE):gsub('[^ -~\160-\255]+$', '')
  self.title = AuditText.split(bytes, '\0')
  for i = 1, #self.title do self.title[i] = AuditText.text(self.title[i]) end
  return self.title
end

return AuditArguments
