-- Puts the saved cursor back (state.lua tells why), and a database that is none out of the way: in_systemd would run
-- on without one. It is done when this file is loaded. The file is a processor of the first input, because fluent-bit
-- starts its inputs one after the other, each with its processors: before the next, in_systemd, opens its database.
local state = dofile(debug.getinfo(1, 'S').source:match('^@(.*/)') .. 'state.lua')

local function from_the_head(why)
  state.say('warn', why, ': the journal is read from its first entry; Cloud Logging drops what it has already')
  os.remove(state.database)
end

os.remove(state.database .. '-journal')
state.step_back()
local memory, database = state.load()
if memory and database ~= '' then
  local ok, why = state.write(state.database, database)
  if not ok then
    -- Later than what is in chunks: worse than none. audit.lua keeps all back while the disk is full.
    os.remove(state.database)
    state.say('error', state.database, ': the saved cursor cannot be put back: ', why)
  end
elseif memory then
  os.remove(state.database)
else
  local found = state.read(state.database)
  if database then
    from_the_head(database)
    found = nil
  elseif found and found ~= '' and not state.is_database(found) then
    from_the_head(state.database .. ' is no database')
    found = nil
  end
  -- Killed before the first tick has saved one, it begins here again: at the head, or where an older version was.
  local ok, why = state.save('', found or '', 0)
  if not ok then state.say('error', state.file, ': ', why) end
end

-- The input's records, of which nothing is made here.
function start(_, timestamp, record) return 0, timestamp, record end
