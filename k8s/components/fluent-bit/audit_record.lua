-- The text of one audit record as fields, by the rows of audit_table.lua: see k8s/entry.table. fluentd's audit_record.rb
-- has the same functions in the same order. A field that is null is NULL here.
local audit_table = require('audit_table')
local AuditText = require('audit_text')
local AuditRecord = {}

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
-- LuaJIT's, for a table that is made as large as it will be.
local is_there, new_table = pcall(require, 'table.new')
if not is_there then new_table = function() return {} end end
-- fluent-bit's, with enable_flb_null.
local NULL = flb_null
AuditRecord.NULL = NULL

-- The raw values that a kind has: what is taken of the text, and what it has to be.
local TAKE = { int = '(%-?%d+)', exit = '(%-?%d+)', word = '([^%s"\']*)', phrase = '([^"\']*)', arch = '([0-9a-f]+)',
  quoted = '"([^"]*)"', data = '([0-9A-F]*)', call = '(%d+)', saddr = '([0-9A-F]+)', msg = "'(.*)'",
  string = '(%S+)', name = '(%S+)', key = '(%S+)', title = '(%S+)' }
local function untrusted(nothing)
  return function(raw) return raw == nothing or find(raw, '^"[!#-~]*"$') or find(raw, '^[0-9A-F]+$') end
end
-- Of digits, with a minus sign perhaps, those that a number has which is written back the same.
local function decimal(raw)
  local first, digits = byte(raw), #raw
  if first == 45 then first, digits = byte(raw, 2), digits - 1 end
  return digits <= 15 and (first ~= 48 or digits == 1)
end
local IS = { int = decimal, exit = decimal, string = untrusted('(null)'), key = untrusted('(null)'),
  title = untrusted('(null)'), name = untrusted('?'),
  saddr = function(raw) return #raw >= 4 end, msg = function(raw) return not find(raw, '\n', 1, true) end }
local UNSET = '4294967295'
local NOTHING = { string = '(null)', key = '(null)', title = '(null)' }

-- Rows of one type, made ready to be looked for in its text.
local TYPES = {}
for type, rows in pairs(audit_table.rows) do
  if type ~= 'EXECVE' and type ~= '*' and type ~= 'msg' then
    local ready, places = {}, {}
    for i, row in ipairs(rows) do
      local name, kind, usual = row[1], row[2], row[3]
      if usual == 'unset' then usual = UNSET end
      if NOTHING[kind] then usual = NOTHING[kind] end
      places[name] = i
      local same = usual and match(usual, '^@(.*)')
      ready[i] = { name = name, kind = kind, usual = usual, same = same and places[same],
        escaped = (name:gsub('%-', '%%-')), is = IS[kind] }
      ready[i].pattern = '^ ' .. ready[i].escaped .. '=' .. TAKE[kind] .. '()'
    end
    TYPES[type] = ready
  end
end
-- By name the kind and the place of the rows that are for any type, and for what programs send.
local function by_name(type)
  local found = {}
  for i, row in ipairs(audit_table.rows[type]) do
    found[row[1]] = { kind = row[2], place = i, pattern = '^' .. TAKE[row[2]] .. '$', is = IS[row[2]] }
  end
  return found
end
local ANY, MSG = by_name('*'), by_name('msg')
local OURS = { type = true, text = true, order = true, head = true, msg = true, keys = true }

local known, in_pieces, alone, any, decode, put, program, pairs_of, named

-- The fields of a record: a table, with `text` alone where the text is none that can be made again of fields.
-- `item` is the place of a PATH record among those of its entry.
function AuditRecord.fields(type, text, item)
  if type == 'EXECVE' then return { text = text } end
  if AuditRecord.alone[type] then return alone(type, text) end
  local rows = TYPES[type]
  local fields = in_pieces(type, text, item or 0) or known(rows or TYPES.USER, text, item or 0)
  if not fields and not rows then fields = any(text) end
  return fields or { text = text }
end

-- A word may have another in parentheses behind it, as the profile's mode is.
local MODE = "([^%s\"']* %([%w_-]+%))"
local function take(text, row, at)
  local _, _, raw, after = find(text, row.pattern, at)
  if not raw then return nil end
  if row.is and not row.is(raw) then return false end
  if row.kind == 'word' then
    local mode, behind = match(text, '^( %([%w_-]+%))()', after)
    if mode then return raw .. mode, behind end
  end
  return raw, after
end

-- The values by row, of a text that has some of the rows, in their order.
local function read(rows, text)
  local at, raw = 1, {}
  for i = 1, #rows do
    local value, after = take(text, rows[i], at)
    if value == false then return nil end
    raw[i] = value
    if value then at = after end
  end
  return at == #text + 1 and raw or nil
end

-- Texts of one type have the same rows nearly always: one pattern, of those that the last one had, reads them at once. A shape:
-- the rows that are there, the place among them of what each may be the same as, and the names of the others that would be
-- taken for usual.
local SHAPES, CAPTURES = 4, 32
local function learn(rows, raw)
  local pattern, shape, places = {}, { same = {}, missing = {}, arch = nil }, {}
  for i = 1, #rows do
    local row, value = rows[i], raw[i]
    if value then
      shape[#shape + 1] = row
      places[i] = #shape
      shape.same[#shape] = row.same and (places[row.same] or 0)
      if row.kind == 'arch' then shape.arch = #shape end
      local as = row.kind == 'word' and find(value, ' ', 1, true) and MODE or TAKE[row.kind]
      pattern[#pattern + 1] = row.escaped .. '=' .. as
    elseif row.usual then
      shape.missing[#shape.missing + 1] = row.name
    end
  end
  if #shape == 0 or #shape > CAPTURES then return nil end
  shape.pattern = '^' .. table.concat(pattern, ' ') .. '$'
  rows.shapes = rows.shapes or {}
  table.insert(rows.shapes, 1, shape)
  rows.shapes[SHAPES + 1] = nil
  return shape
end

-- The values of a text of that shape, in order; nil for any other text.
local function by_shape(shape, first, ...)
  if first == nil then return nil end
  local values = { first, ... }
  for k = 1, #shape do
    local is = shape[k].is
    if is and not is(values[k]) then return nil end
  end
  return values
end

local function shape_of(rows, text)
  local shapes = rows.shapes
  for i = 1, shapes and #shapes or 0 do
    local values = by_shape(shapes[i], match(text, shapes[i].pattern))
    if values then return shapes[i], values end
  end
  local raw = read(rows, ' ' .. text)
  local shape = raw and learn(rows, raw)
  if shape then return shape, by_shape(shape, match(text, shape.pattern)) end
end

local function is_usual(row, value, same, item)
  if row.same then return value == same end
  if row.usual == '#item' then return value == tostring(item) end
  return value == row.usual
end

-- `into`: the table that they come into.
function known(rows, text, item, into)
  local shape, values = shape_of(rows, text)
  if not values then return nil end
  local fields, same, arch = into or {}, shape.same, shape.arch and values[shape.arch]
  for i = 1, #shape.missing do fields[shape.missing[i]] = NULL end
  for k = 1, #shape do
    local row, value = shape[k], values[k]
    if not (row.usual and is_usual(row, value, values[same[k]], item)) then
      if row.kind == 'msg' then
        for name, of in pairs(program(value, fields)) do fields[name] = of end
      else
        local decoded = decode(row.kind, value, arch)
        if decoded == nil then return nil end
        put(fields, row.name, row.kind, decoded)
      end
    end
  end
  return fields
end

-- What the most frequent types say is mostly the same again: the same user called the same program, or a file is as it was. So
-- their texts are read in three pieces, of which what the first and the last give is remembered; that between them, from
-- the first name to before the second, is another one nearly always. Neither name can be in a value before it: these have no
-- blanks. `size`: about so many fields has a record.
local PIECES = { SYSCALL = { from = 'a0', to = 'auid', size = 30 }, PATH = { from = 'inode', to = 'dev', size = 7 } }
local REMEMBERED = 1000

local function rows_from(rows, from, to)
  local some = {}
  for i = from, to do
    local row = {}
    for name, value in pairs(rows[i]) do row[name] = value end
    row.same = row.same and row.same - from + 1
    some[#some + 1] = row
  end
  return some
end

-- A function that gives the fields of a text with these rows as a list, names and values by turns; or false.
local function remembering(rows)
  return AuditText.remember(REMEMBERED, function(text, item)
    local fields = known(rows, text, item)
    if not fields then return false end
    local list = {}
    for name, value in pairs(fields) do list[#list + 1], list[#list + 2] = name, value end
    return list
  end)
end

for type, piece in pairs(PIECES) do
  local rows, from, to = TYPES[type], nil, nil
  for i, row in ipairs(rows) do
    if row.name == piece.from then from = i elseif row.name == piece.to then to = i end
  end
  piece.from, piece.to = ' ' .. piece.from .. '=', ' ' .. piece.to .. '='
  piece.first, piece.last = remembering(rows_from(rows, 1, from - 1)), remembering(rows_from(rows, to, #rows))
  piece.middle = rows_from(rows, from, to - 1)
  piece.has_item = rows[1].usual == '#item'
end

-- nil for a text that is to be read at once.
function in_pieces(type, text, item)
  local piece = PIECES[type]
  local from = piece and find(text, piece.from, 1, true)
  local to = from and find(text, piece.to, from + 1, true)
  if not to then return nil end
  -- What is remembered of it is that it is at its place.
  if piece.has_item and (byte(text, 6) ~= 48 + item or byte(text, 7) ~= 32) then return nil end
  local first = piece.first(sub(text, 1, from - 1), item)
  local last = first and piece.last(sub(text, to + 1), item)
  local fields = last and known(piece.middle, sub(text, from + 1, to - 1), item, new_table(0, piece.size))
  if not fields then return nil end
  for i = 1, #first, 2 do fields[first[i]] = first[i + 1] end
  for i = 1, #last, 2 do fields[last[i]] = last[i + 1] end
  return fields
end

-- Types of one field, by its name: what such a text gives is remembered whole, so nobody may change it.
AuditRecord.alone = { CWD = 'cwd', PROCTITLE = 'proctitle', SOCKADDR = 'saddr' }
local remembered = {}
for type in pairs(AuditRecord.alone) do
  remembered[type] = AuditText.remember(REMEMBERED, function(text) return known(TYPES[type], text, 0) or { text = text } end)
end
function alone(type, text) return remembered[type](text) end

-- One key is `key`, several are `keys`.
function put(fields, name, kind, value)
  if kind ~= 'key' then
    fields[name] = value
  elseif #value == 1 then
    fields.key = value[1]
  else
    fields.keys = value
  end
end

local function error_name(value)
  local number = tonumber(value)
  return number < 0 and audit_table.names.errno[-number] or number
end

local function split_text(bytes, separator)
  local parts = AuditText.split(bytes, separator)
  for i = 1, #parts do parts[i] = AuditText.text(parts[i]) end
  return parts
end

local DECODE = {
  int = function(value) return tonumber(value) end,
  string = AuditText.string,
  name = AuditText.string,
  arch = function(value) return audit_table.arch[value] or value end,
  call = function(value, arch)
    local names = audit_table.names[audit_table.arch[arch or ''] or '']
    return names and names[tonumber(value)] or tonumber(value)
  end,
  exit = error_name,
  key = function(value)
    local text = AuditText.string(value)
    return text and AuditText.split(text, '\1')
  end,
  saddr = AuditText.sockaddr,
  title = function(value)
    local bytes = AuditText.bytes(value)
    return bytes and split_text(bytes, '\0')
  end,
  data = function(value) return AuditText.text(AuditText.unhex(#value % 2 == 0 and value or value .. '0')) end,
}

-- nil for a value that nobody writes so.
function decode(kind, value, arch)
  local how = DECODE[kind]
  if how then return how(value, arch) end
  return value
end

-- What a program wrote: its fields, or `msg`, the text, where they cannot be told from the record's or are in
-- another order than the rows'.
function program(text, outer)
  local found = pairs_of(text)
  if not found then return { msg = text } end
  local last = 0
  for i = 1, #found, 2 do
    local row = MSG[found[i]]
    if not row or row.place < last or outer[found[i]] ~= nil then return { msg = text } end
    last = row.place
  end
  return named(found, MSG) or { msg = text }
end

-- name=value, a blank between them, as a list; nil for any other text, and where a name comes twice or is one of ours.
function pairs_of(text)
  local found, names, at = {}, {}, 1
  while at <= #text do
    local name, value_at = match(text, '^([A-Za-z][%w_.%[%]-]*)=()', at)
    if not name or names[name] or OURS[name] then return nil end
    names[name] = true
    local quote = sub(text, value_at, value_at) == '"' and find(text, '"', value_at + 1, true)
    local after
    if quote and (quote == #text or find(text, '^ [A-Za-z][%w_.%[%]-]*=', quote + 1)) then
      after = quote + 1
    else
      after = find(text, ' [A-Za-z][%w_.%[%]-]*=', value_at) or #text + 1
    end
    found[#found + 1] = name
    found[#found + 1] = sub(text, value_at, after - 1)
    -- A blank at the end belongs to none.
    if after == #text then return nil end
    at = after + 1
  end
  return found
end

function any(text)
  local at = find(text, ' [A-Za-z][%w_.%[%]-]*=')
  local head = at and match(sub(text, 1, at - 1), '^[%w_ ]*$')
  local found = pairs_of(head and sub(text, #head + 2) or text)
  local fields = found and named(found, ANY)
  if not fields then return nil end
  local order = {}
  for i = 1, #found, 2 do order[#order + 1] = found[i] end
  fields.order = table.concat(order, ' ')
  if head then fields.head = head end
  return fields
end

function named(found, rows)
  local arch
  for i = 1, #found, 2 do if found[i] == 'arch' then arch = found[i + 1] end end
  local fields = {}
  for i = 1, #found, 2 do
    local name, value = found[i], found[i + 1]
    local row = rows[name]
    if not row then
      -- Without a row, quotes and all.
      fields[name] = value
    elseif value == (row.kind == 'name' and '?' or (row.kind == 'string' or row.kind == 'key') and '(null)') then
      fields[name] = NULL
    else
      local raw = match(value, row.pattern)
      if row.kind == 'word' and not raw then raw = match(value, '^[^%s"\']* %([%w_-]+%)$') end
      if not raw or row.is and not row.is(raw) then return nil end
      local decoded = decode(row.kind, raw, arch)
      if decoded == nil then return nil end
      put(fields, name, row.kind, decoded)
    end
  end
  return fields
end

return AuditRecord
