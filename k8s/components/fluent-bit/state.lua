-- What fluent-bit has to know after it was killed, in one file beside its database of the journal's cursor.
--
-- in_systemd saves its cursor before the records it has read are in a chunk: killed in between, they would be lost. So
-- the cursor is copied here (by audit.lua), when all before it is in chunks, and put back (by start.lua) before
-- in_systemd opens its database. After a kill the records since the copy are read again, and get the ids they had.
local state = {}

local DIRECTORY = '/var/lib/cloud-audit-logging/fluent-bit/'
state.database = DIRECTORY .. 'cursor.db'
state.file = DIRECTORY .. 'cursor.saved'
state.sessions = DIRECTORY .. 'sessions'
state.signals = DIRECTORY .. 'signals.prom'
local ROOM = DIRECTORY .. 'room'
local MAGIC = 'SQLite format 3\0'
local HEAD = 'cloud-audit-logging cursor 1 %d %d %s\n'

function state.read(path)
  local file = io.open(path, 'rb')
  if not file then return nil end
  local text = file:read('*a')
  file:close()
  return text
end

-- Beside it first, then renamed: killed at any time, the file is the old one or the new one.
function state.write(path, text)
  local file, why = io.open(path .. '.new', 'wb')
  if not file then return nil, why end
  file:setvbuf('no')
  local ok
  ok, why = file:write(text)
  file:close()
  if ok then ok, why = os.rename(path .. '.new', path) end
  if not ok then os.remove(path .. '.new') end
  return ok, why
end

function state.append(path, text)
  local file, why = io.open(path, 'ab')
  if not file then return nil, why end
  file:setvbuf('no')
  local ok
  ok, why = file:write(text)
  file:close()
  return ok, why
end

-- Two remainders of the text as a number, below 2^31 each: exact in floating point.
function state.digest(text)
  local a, b = 0, 0
  for i = 1, #text do
    local c = text:byte(i)
    a = (a * 257 + c) % 2147483647
    b = (b * 263 + c) % 2147483629
  end
  return string.format('%08x%08x', a, b)
end

function state.is_database(text) return text:sub(1, #MAGIC) == MAGIC end

function state.save(memory, database)
  return state.write(state.file, HEAD:format(#memory, #database, state.digest(memory .. database)) .. memory .. database)
end

-- What was saved: memory, database, which is '' at the journal's head. Nothing without the file; nil and the reason when it
-- is none of ours.
function state.load()
  local text = state.read(state.file)
  if not text then return nil end
  local n, m, digest, start = text:match('^cloud%-audit%-logging cursor 1 (%d+) (%d+) (%x+)\n()')
  if not n or #text ~= start - 1 + n + m or state.digest(text:sub(start)) ~= digest then
    return nil, state.file .. ' is damaged'
  end
  local database = text:sub(start + n)
  if database ~= '' and not state.is_database(database) then return nil, state.file .. ' has no database in it' end
  return text:sub(start, start + n - 1), database
end

-- Is there room for BYTES more on the disk? Asked by taking and giving back: a quota and a file system's reserve
-- count, too.
function state.room(bytes)
  local file, why = io.open(ROOM, 'wb')
  if not file then return nil, why end
  file:setvbuf('no')
  local block, ok = string.rep('\0', 65536), true
  for _ = 1, bytes / #block do
    ok, why = file:write(block)
    if not ok then break end
  end
  file:close()
  os.remove(ROOM)
  return ok, why
end

function state.say(level, ...)
  io.stderr:write(os.date('![%Y/%m/%d %H:%M:%S] ['), level, '] [linux-auditd] ', table.concat({ ... }), '\n')
end

return state
