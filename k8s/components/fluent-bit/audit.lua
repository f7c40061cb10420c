-- The audit records of a node's journal, one entry an event (k8s/entry.schema.json), for Cloud Logging. What each file
-- beside it does:
--   audit_events.lua    puts the records of an event together    state.lua   saves where to go on
--   audit_entry.lua     makes the entry                          start.lua   puts it back at the start
--   audit_record.lua    of the text of its records               audit_sessions.lua   containers
-- Killed at any time, fluent-bit goes on with what it had not in chunks, and sends what it read since the last save
-- again, with the insertId it had. volume.lua has what to leave out, signals.lua the metrics.
local directory = debug.getinfo(1, 'S').source:match('^@(.*/)')
package.path = directory .. '?.lua;' .. package.path
local state = require('state')
local audit_table = require('audit_table')
local AuditText = require('audit_text')
local AuditEntry = require('audit_entry')
local AuditEvents = require('audit_events')
local AuditSessions = require('audit_sessions')
local Signals = require('signals')
local Volume = require('volume')

-- LuaJIT's own limits, 1,000 pieces of machine code of 512 kB, are below what the scripts come to: it would throw all away and
-- compile again for ever.
if jit and jit.opt then jit.opt.start('maxtrace=8000', 'maxmcode=8192') end

local byte, find, sub = string.byte, string.find, string.sub

local RESOURCE = 'k8s_node.' .. (os.getenv('NODE_NAME') or '')
local TICK = 0.25
-- Between two ticks at most so much comes into chunks: in_systemd hands over 1 MB at a time.
local ROOM = 2 * 1024 * 1024

local memory, database = state.load()
local events = AuditEvents.new(memory)
local sessions = AuditSessions.new(state, memory and tonumber(memory:match('sessions (%d+)\n')))
local volume = Volume.new()
local signals = Signals.new(state)
local full = not state.room(ROOM)
signals:write({ full = full, left_out = 0, held = 0 })
-- In seconds since the start, of ticks. `seen`: records since the last one.
local now, seen = 0, true
-- The database as it was at a tick, with what was known then: the one that is saved when all is sent that was held; and the
-- one that was saved last.
local candidate, saved = nil, { database = memory and database, mark = events.begin }

-- By key, the same table for all. A rule of the user's may have taken the event before the shipped group exec, which is
-- about it all the same.
local label = AuditText.remember(100, function(key) return AuditText.map({ key = key }) end)
local exec_label = AuditText.remember(100, function(key) return AuditText.map({ key = key, group = 'exec' }) end)
local function labels(key, syscall)
  if syscall ~= 'execve' and syscall ~= 'execveat' then return key and label(key) end
  return key and exec_label(key) or AuditText.map({ group = 'exec' })
end

-- What Cloud Logging's output takes out of the entry again.
local function for_cloud_logging(entry, key, written)
  entry.key, entry.keys = nil, nil
  entry['logging.googleapis.com/labels'] = labels(key, entry.syscall)
  entry['logging.googleapis.com/insertId'] = entry.id
  entry.id = nil
  -- Without it the output tries the whole chunk again for ever.
  entry['logging.googleapis.com/local_resource_id'] = RESOURCE
  local seconds = math.floor(written / 1000000)
  entry.timestampSeconds, entry.timestampNanos = seconds, (written - seconds * 1000000) * 1000
  return entry
end

local function left_out(told)
  local written = told.written
  told.written = nil
  return for_cloud_logging(told, nil, written)
end

-- Added to `all`.
local function entries_of(event, all)
  local before = candidate and candidate.mark.held[event]
  local made = AuditEntry.all(event.id, event.records, event.first, event.whole)
  for i = 1, #made do
    local entry = made[i]
    sessions:name(entry, before)
    local key = entry.key ~= flb_null and entry.key or entry.keys and table.concat(entry.keys, ',')
    local kept, told = volume:keep(entry, key, event.written)
    if told then all[#all + 1] = left_out(told) end
    if kept then all[#all + 1] = for_cloud_logging(entry, key, event.written) end
    signals:entry(entry)
  end
end

local function bare_entries(event, all)
  for _, entry in ipairs(AuditEntry.bare(event.id, event.records, event.first, event.whole)) do
    all[#all + 1] = for_cloud_logging(entry, nil, event.written)
    signals:entry(entry)
  end
end

-- Of an event with an error its records as they stand, and the others.
local function entries(done)
  local all = {}
  for i = 1, #done do
    local event, count = done[i], #all
    local ok, why = pcall(entries_of, event, all)
    if not ok then
      state.say('error', event.id, ': sent with its records as they stand: ', tostring(why))
      for k = #all, count + 1, -1 do all[k] = nil end
      bare_entries(event, all)
    end
    signals:event(event)
  end
  return all
end

-- A tick is a batch of its own: all that were handed over before it are in chunks, also what ended by then.
local function save()
  local now_there = state.read(state.database)
  if not candidate and now_there and now_there ~= saved.database then
    candidate = { database = now_there, mark = events:mark('sessions ' .. sessions:mark() .. '\n') }
  end
  if not candidate or events:waits(candidate.mark) then return true end
  local ok, why = sessions:save()
  if ok then ok, why = state.save(events:memory(candidate.mark), candidate.database, now) end
  if not ok then return nil, why end
  events:saved(candidate.mark)
  -- The next tick looks at what was read while this one waited.
  saved, candidate, seen = candidate, nil, true
  return true
end

local function stop(why)
  state.say('error', state.file, ': ', why, ': nothing more is taken from the journal until there is room')
  full = true
end

-- Those that end because nothing more comes. Read again, with more behind them, they would not end there: so that is saved first.
local function expired()
  local found = full and {} or events:quiet(now)
  if #found == 0 or not saved.database then return events:expire(found) end
  local ok, why = state.save(events:memory(saved.mark), saved.database, now)
  if ok then return events:expire(found) end
  events:take_back(found)
  stop(why)
  return {}
end

local function tick()
  now = now + TICK
  if now % 15 == 0 then signals:write({ full = full, left_out = volume.left_out, held = events.count }) end
  if not (seen or full or candidate) then return end
  seen = false
  local ok, why = state.room(full and 4 * ROOM or ROOM)
  if ok and full then
    state.say('warn', 'there is room again: starting anew from the saved cursor')
    os.exit(1)
  end
  if ok then ok, why = save() end
  if not ok and not full then stop(why) end
end

-- The type of a record, and its text. A pattern is needed for unusual ones alone.
local function split(message)
  local blank = find(message, ' ', 1, true)
  local kind = blank and sub(message, 1, blank - 1)
  if audit_table.rows[kind] and (byte(message, blank + 1) or 0) > 32 then return kind, sub(message, blank + 1) end
  return message:match('^%s*(%S+)%s*(.*)$')
end

-- Of the last record: mostly the next one is of the same event. `timestamp`: when journald had it, in seconds; exact to the
-- microsecond.
local boot, serial, id, written
local function add(timestamp, record)
  signals:record(#record.MESSAGE)
  local kind, text = split(AuditText.text(record.MESSAGE))
  if record.AUDIT_ID ~= serial or record.BOOT_ID ~= boot then
    id, written = record.BOOT_ID .. '-' .. record.AUDIT_ID, tonumber(record.SOURCE_REALTIME_TIMESTAMP)
    boot, serial = record.BOOT_ID, record.AUDIT_ID
  end
  local done = events:add(boot, id, kind, text, written, math.floor(timestamp * 1000000 + 0.5), now)
  return #done > 0 and entries(done) or done
end

local function answer(timestamp, all)
  if #all == 0 then return -1, timestamp, nil end
  return 2, timestamp, AuditText.array(all)
end

function audit(_, timestamp, record)
  if record.tick then
    tick()
    local ok, all = pcall(function()
      local all = entries(expired())
      for _, told in ipairs(volume:over(events.came)) do all[#all + 1] = left_out(told) end
      return all
    end)
    if ok then return answer(timestamp, all) end
    state.say('error', tostring(all))
    return -1, timestamp, nil
  end
  seen = true
  -- What fluent-bit cannot append now it would lose. It stays in the journal, before the saved cursor.
  if full then return -1, timestamp, nil end
  local ok, all = pcall(add, timestamp, record)
  if ok then return answer(timestamp, all) end
  -- An error that reached fluent-bit would let the whole batch through as it was.
  state.say('error', tostring(all))
  record['logging.googleapis.com/local_resource_id'] = RESOURCE
  return 2, timestamp, record
end
