-- Records through fluent-bit's scripts: arg[1] is their directory, standard input the records of a journal, BOOT-ID,
-- AUDIT-ID, microseconds, those when it came into the journal, and MESSAGE a line, with tabs between. An entry as JSON a line, as it leaves the filter. arg[2] is the
-- directory of its state. arg[3]: it is killed after so many records, when they are in chunks, and started again.
flb_null = newproxy()
local ESCAPE = { ['"'] = '\\"', ['\\'] = '\\\\' }
-- As fluent-bit's filter tells an array: by its metatable, else by what is in it.
local function is_array(value)
  local told = getmetatable(value)
  if told then return told.type == 1 end
  return #value > 0
end
local function json(value)
  if value == flb_null then return 'null' end
  if type(value) == 'number' then return ('%d'):format(value) end
  if type(value) ~= 'table' then
    return '"' .. tostring(value):gsub('[%c"\\]', function(c) return ESCAPE[c] or ('\\u%04x'):format(c:byte()) end) .. '"'
  end
  local out = {}
  if is_array(value) then
    for i, v in ipairs(value) do out[i] = json(v) end
    return '[' .. table.concat(out, ',') .. ']'
  end
  for k, v in pairs(value) do out[#out + 1] = json(k) .. ':' .. json(v) end
  return '{' .. table.concat(out, ',') .. '}'
end

local function put(code, _, entries)
  if code ~= -1 then for _, entry in ipairs(entries[1] and entries or { entries }) do print(json(entry)) end end
end
local function tick() put(audit('linux-auditd', {}, { tick = '1' })) end
-- As in_systemd has it, in a file that looks like SQLite's: between two batches it is what the filter has seen.
local DATABASE, cursor = 'SQLite format 3\0', arg[2] .. '/cursor.db'
local function save(n)
  local file = assert(io.open(cursor, 'wb'))
  file:write(DATABASE, n)
  file:close()
end
local function saved()
  local file = io.open(cursor, 'rb')
  if not file then return 0 end
  local text = file:read('*a')
  file:close()
  return tonumber(text:sub(#DATABASE + 1)) or 0
end
local function start()
  for name in pairs(package.loaded) do if not _G[name] and name ~= '_G' then package.loaded[name] = nil end end
  dofile(arg[1] .. '/start.lua')
  dofile(arg[1] .. '/audit.lua')
end

local all = {}
for line in io.lines() do all[#all + 1] = line end
local function run(from, to)
  for n = from, to do
    local boot, id, time, came, message = all[n]:match('^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(.*)$')
    put(audit('linux-auditd', came / 1000000, { BOOT_ID = boot, AUDIT_ID = id, SOURCE_REALTIME_TIMESTAMP = time, MESSAGE = message }))
    if n % 1000 == 0 then
      save(n)
      tick()
    end
  end
end
start()
if arg[3] then
  run(1, tonumber(arg[3]))
  start()
end
run(saved() + 1, #all)
-- Until the time of all is over.
for _ = 1, 20 do tick() end
