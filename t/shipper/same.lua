-- Records through fluent-bit's scripts: arg[1] is their directory, standard input the records of a journal, BOOT-ID,
-- AUDIT-ID, microseconds and MESSAGE a line, with tabs between. An entry as JSON a line, as it leaves the filter.
flb_null = newproxy()
local ARRAYS = { argv = true, proctitle = true, keys = true }
local ESCAPE = { ['"'] = '\\"', ['\\'] = '\\\\' }
local function json(value, name)
  if value == flb_null then return 'null' end
  if type(value) == 'number' then return ('%d'):format(value) end
  if type(value) ~= 'table' then
    return '"' .. tostring(value):gsub('[%c"\\]', function(c) return ESCAPE[c] or ('\\u%04x'):format(c:byte()) end) .. '"'
  end
  local out = {}
  if #value > 0 or ARRAYS[name] then
    for i, v in ipairs(value) do out[i] = json(v) end
    return '[' .. table.concat(out, ',') .. ']'
  end
  for k, v in pairs(value) do out[#out + 1] = json(k) .. ':' .. json(v, k) end
  return '{' .. table.concat(out, ',') .. '}'
end

dofile(arg[1] .. '/audit.lua')
local function put(code, _, entries)
  if code ~= -1 then for _, entry in ipairs(entries[1] and entries or { entries }) do print(json(entry)) end end
end
local n = 0
for line in io.lines() do
  local boot, id, time, message = line:match('^(%S+)\t(%S+)\t(%S+)\t(.*)$')
  put(audit('linux-auditd', {}, { BOOT_ID = boot, AUDIT_ID = id, SOURCE_REALTIME_TIMESTAMP = time, MESSAGE = message }))
  n = n + 1
  if n % 1000 == 0 then put(audit('linux-auditd', {}, { tick = '1' })) end
end
-- Until the time of all is over.
for _ = 1, 20 do put(audit('linux-auditd', {}, { tick = '1' })) end
