-- Bytes as text, and the values of audit records that stand for bytes. All of it can be turned back. fluentd's
-- audit_text.rb has the same functions in the same order.
local audit_table = require('audit_table')
local AuditText = {}

local char, byte, find, sub = string.char, string.byte, string.find, string.sub

-- Which of an entry's tables is an array, and which has names, for fluent-bit (FLB_LUA_L2C_TYPE_ARRAY, _MAP): it would look
-- through each of them twice to find out, and take an empty array for the other.
local ARRAY, MAP = { type = 1 }, { type = 2 }
function AuditText.array(list) return setmetatable(list, ARRAY) end
function AuditText.map(names) return setmetatable(names, MAP) end

-- Gives what `make` makes of a text, and remembers it, of the last `limit` texts and as many before: most of a node's records say
-- what others have said. Nobody may change it. `more` goes to `make`, and follows from the text. Longer texts are seldom the same.
local LONG = 300
function AuditText.remember(limit, make)
  local new, old, count = {}, {}, 0
  return function(text, more)
    local made = new[text]
    if made ~= nil then return made end
    made = old[text]
    if made == nil then made = make(text, more) end
    if #text > LONG then return made end
    if count == limit then new, old, count = {}, new, 0 end
    new[text], count = made, count + 1
    return made
  end
end

-- Of a byte that belongs to no character: U+E000 + byte.
local ESCAPED, UNHEX = {}, {}
for b = 0, 255 do
  ESCAPED[b] = char(0xEE, 0x80 + math.floor(b / 64), 0x80 + b % 64)
  local hex = ('%02X'):format(b)
  for _, h in ipairs({ hex, hex:lower(), hex:sub(1, 1):lower() .. hex:sub(2), hex:sub(1, 1) .. hex:sub(2):lower() }) do
    UNHEX[h] = char(b)
  end
end

-- How many bytes the character has that begins at i; nil: none does. As Unicode's table 3-7 has it.
local function more(x) return x and x >= 0x80 and x <= 0xBF end
local function character(bytes, i)
  local a, b, c, d = byte(bytes, i, i + 3)
  if a < 0x80 then return 1 end
  if a >= 0xC2 and a <= 0xDF then return more(b) and 2 or nil end
  if a >= 0xE0 and a <= 0xEF then
    if not (more(b) and more(c)) or (a == 0xE0 and b < 0xA0) or (a == 0xED and b > 0x9F) then return nil end
    -- U+E000 to U+E0FF mean something else here.
    if a == 0xEE and b <= 0x83 then return nil end
    return 3
  end
  if a >= 0xF0 and a <= 0xF4 then
    if not (more(b) and more(c) and more(d)) or (a == 0xF0 and b < 0x90) or (a == 0xF4 and b > 0x8F) then return nil end
    return 4
  end
end

-- The place of the first byte above 127. A loop becomes machine code, which a pattern does not.
local function beyond_ascii(bytes)
  for i = 1, #bytes do if byte(bytes, i) > 127 then return i end end
end

-- UTF-8 of any bytes. One that belongs to no character becomes U+E000 + byte, and so do those of the characters
-- U+E000 to U+E0FF themselves.
function AuditText.text(bytes)
  local i = beyond_ascii(bytes)
  if not i then return bytes end
  local out, from = {}, 1
  while i do
    local n = character(bytes, i)
    if n then
      i = i + n
    else
      out[#out + 1] = sub(bytes, from, i - 1)
      out[#out + 1] = ESCAPED[byte(bytes, i)]
      i = i + 1
      from = i
    end
    i = find(bytes, '[\128-\255]', i)
  end
  out[#out + 1] = sub(bytes, from)
  return table.concat(out)
end

function AuditText.unhex(raw) return (raw:gsub('%x%x', UNHEX)) end

-- The bytes of an untrusted value, "in quotes" or in hexadecimal; nil for one that nobody writes so.
function AuditText.bytes(raw)
  if byte(raw) == 34 then return sub(raw, 2, -2) end
  local bytes = #raw % 2 == 0 and AuditText.unhex(raw)
  -- What the kernel, and libaudit, would have written in hexadecimal.
  if bytes and find(bytes, '[^!#-~]') then return bytes end
end

-- The same as text.
function AuditText.string(raw)
  local bytes = AuditText.bytes(raw)
  return bytes and AuditText.text(bytes)
end

-- Texts between separators, which are a byte, all of them; none of an empty text.
function AuditText.split(bytes, separator)
  local parts = AuditText.array({})
  if bytes == '' then return parts end
  local from = 1
  while true do
    local at = find(bytes, separator, from, true)
    parts[#parts + 1] = sub(bytes, from, (at or 0) - 1)
    if not at then return parts end
    from = at + 1
  end
end

-- family, address and port of a struct sockaddr in hexadecimal. `saddr` stays beside them where they do not tell
-- all of it.
function AuditText.sockaddr(raw)
  local bytes = AuditText.unhex(#raw % 2 == 0 and raw or raw .. '0')
  local family = audit_table.names.family[byte(bytes, 1) + 256 * byte(bytes, 2)]
  if not family then return AuditText.map({ saddr = raw }) end
  local address = AuditText.map({ family = family })
  local readable = AuditText[family .. '_address']
  if not (readable and readable(bytes, address)) or #raw % 2 == 1 then address.saddr = raw end
  return address
end

local function number(bytes, from, to)
  local n = 0
  for i = from, to do n = n * 256 + byte(bytes, i) end
  return n
end
local function little(bytes, from, to) return number(bytes:sub(from, to):reverse(), 1, to - from + 1) end

-- Each fills in what there is, and tells whether it is all that the bytes say.
function AuditText.inet_address(bytes, found)
  if #bytes < 8 then return false end
  found.address = table.concat({ byte(bytes, 5, 8) }, '.')
  found.port = number(bytes, 3, 4)
  return #bytes == 16 and not find(bytes, '[^%z]', 9)
end

function AuditText.inet6_address(bytes, found)
  if #bytes < 24 then return false end
  local groups = {}
  for i = 1, 8 do groups[i] = number(bytes, 7 + 2 * i, 8 + 2 * i) end
  found.address = AuditText.inet6_text(groups)
  found.port = number(bytes, 3, 4)
  local flow = number(bytes, 5, 8)
  if flow ~= 0 then found.flow = flow end
  local scope = #bytes >= 28 and little(bytes, 25, 28) or 0
  if scope ~= 0 then found.scope = scope end
  return #bytes == 28
end

-- RFC 5952: the first of the longest runs of zeros is left out, if it is longer than one.
function AuditText.inet6_text(groups)
  local best, length, run = nil, 1, 0
  for i = 1, 8 do
    run = groups[i] == 0 and run + 1 or 0
    if run > length then best, length = i - run + 1, run end
  end
  local text = {}
  for i = 1, 8 do text[i] = ('%x'):format(groups[i]) end
  if not best then return table.concat(text, ':') end
  return table.concat(text, ':', 1, best - 1) .. '::' .. table.concat(text, ':', best + length, 8)
end

function AuditText.netlink_address(bytes, found)
  if #bytes < 12 then return false end
  found.pid, found.groups = little(bytes, 5, 8), little(bytes, 9, 12)
  return #bytes == 12 and number(bytes, 3, 4) == 0
end

-- A path ends at its first \0; an abstract name begins with one and ends with the address.
function AuditText.unix_address(bytes, found)
  local name = sub(bytes, 3)
  if byte(name) == 0 and find(name, '[^%z]') then
    found.abstract = AuditText.text(sub(name, 2))
    return true
  end
  local path = name:match('^[^%z]*')
  found.path = AuditText.text(path)
  if #bytes ~= #path + 3 then found.length = #bytes end
  return not find(name, '[^%z]', #path + 1)
end

return AuditText
