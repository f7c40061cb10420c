-- What fluent-bit has to know after it was killed, in one file beside its database of the journal's cursor.
--
-- in_systemd saves its cursor before the records it has read are in a chunk: killed in between, they would be lost. So
-- the cursor is copied here (by audit.lua), when all before it is in chunks, and put back (by start.lua) before
-- in_systemd opens its database. After a kill the records since the copy are read again, and get the ids they had.
--
-- A node that loses its power loses what the kernel had not yet written of the chunks and of the journal, whose numbers
-- are given again then; neither is synced. Beside the file lies one of at least a minute before, by when all of that is on
-- the disk: what another boot saved, and what is damaged, is not believed, and it goes on from there.
local state = {}

local DIRECTORY = '/var/lib/cloud-audit-logging/fluent-bit/'
state.database = DIRECTORY .. 'cursor.db'
state.file = DIRECTORY .. 'cursor.saved'
state.earlier = state.file .. '.earlier'
state.sessions = DIRECTORY .. 'sessions'
state.signals = DIRECTORY .. 'signals.prom'
local ROOM = DIRECTORY .. 'room'
local MAGIC = 'SQLite format 3\0'
local HEAD = 'cloud-audit-logging cursor 1 %d %d %s\n'
local BOOT = '/proc/sys/kernel/random/boot_id'
-- Seconds. The kernel writes what is older than 30.
local SETTLED = 60
-- LuaJIT has it, which fluent-bit runs; other Luas cannot sync.
local has_ffi, ffi = pcall(require, 'ffi')
if has_ffi then ffi.cdef('int fileno(void *); int fsync(int);') end

function state.read(path)
  local file = io.open(path, 'rb')
  if not file then return nil end
  local text = file:read('*a')
  file:close()
  return text
end

local function sync(file)
  if not has_ffi or ffi.C.fsync(ffi.C.fileno(file)) == 0 then return true end
  return nil, 'cannot be synced'
end

-- Beside it first, then renamed: killed at any time, the file is the old one or the new one. synced: also when the power is lost.
function state.write(path, text, synced)
  local file, why = io.open(path .. '.new', 'wb')
  if not file then return nil, why end
  file:setvbuf('no')
  local ok
  ok, why = file:write(text)
  if ok and synced then ok, why = sync(file) end
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

-- Of the node, with each boot another; nil: not told.
local function boot() return (state.read(BOOT) or ''):match('^%S+') end

-- What was saved at least SETTLED seconds ago is the earlier one now. `settling`: what becomes it next; at once where there is none.
local settling, since
local function settle(text, now)
  if not settling then settling, since = text, now end
  since = since or now
  if now - since < SETTLED then return true end
  local ok, why = state.write(state.earlier, settling, true)
  settling, since = text, now
  return ok, why
end

-- now: in seconds, of a clock that is not set.
function state.save(memory, database, now)
  memory = memory:gsub('node [^\n]*\n', '') .. (boot() and 'node ' .. boot() .. '\n' or '')
  local text = HEAD:format(#memory, #database, state.digest(memory .. database)) .. memory .. database
  local ok, why = state.write(state.file, text)
  if ok then ok, why = settle(text, now) end
  return ok, why
end

local function load_file(path)
  local text = state.read(path)
  if not text then return nil end
  local n, m, digest, start = text:match('^cloud%-audit%-logging cursor 1 (%d+) (%d+) (%x+)\n()')
  if not n or #text ~= start - 1 + n + m or state.digest(text:sub(start)) ~= digest then
    return nil, path .. ' is damaged'
  end
  local database = text:sub(start + n)
  if database ~= '' and not state.is_database(database) then return nil, path .. ' has no database in it' end
  return text:sub(start, start + n - 1), database
end

-- What was saved: memory, database, which is '' at the journal's head. Nothing without the file; nil and the reason when it
-- is none of ours.
function state.load()
  settling = state.read(state.file)
  since = not state.read(state.earlier) and -SETTLED or nil
  return load_file(state.file)
end

-- Before it is loaded: what is not believed is replaced by the earlier one, if there is one.
function state.step_back()
  local memory, database = load_file(state.file)
  local node = memory and memory:match('node ([^\n]*)\n')
  if memory and (not node or not boot() or node == boot()) or not memory and not database then return end
  local why = memory and state.file .. ': the node has booted' or database
  memory, database = load_file(state.earlier)
  if not memory then return end
  local ok, failed = state.save(memory, database, 0)
  state.say(node and 'info' or 'warn', why, ': what was read in the last minutes before is sent again, with the same insertId',
    ok and '' or ', when there is room: ' .. failed)
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
